// Frame times of the timeline while it scrolls and zooms: node dev/frames.mjs [dist]. Prints, per trace, the
// load time and the median, 95th percentile and worst time from one frame to the next, and of script per frame.
import { launch } from "./browser.mjs";
import { serve } from "./mock_server.mjs";
import { traceIdOf } from "./mock_data.mjs";

const [dist = "dist"] = process.argv.slice(2);
const server = await serve({ port: 0, dist });
const origin = `http://127.0.0.1:${server.address().port}`;
const browser = await launch();
const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });

/** Runs in the page: does one step per frame and measures. */
async function measure(kind) {
  const scroller = document.querySelector(".timeline, .space-scroll");
  const bars = document.querySelector(".bars, .space-area");
  const box = bars.getBoundingClientRect();
  const gaps = [];
  const work = [];
  let last = 0;
  for (let i = 0; i < 180; i++) {
    if (kind === "scroll") scroller.scrollTop += i % 60 < 30 ? 90 : 2400;
    else if (kind === "jump") scroller.scrollTop = ((i * 7919) % 1000) / 1000 * (scroller.scrollHeight - scroller.clientHeight);
    else if (kind === "zoom") bars.dispatchEvent(new WheelEvent("wheel", { deltaY: i < 90 ? -60 : 60, ctrlKey: true, clientX: box.left + box.width * 0.4, clientY: box.top + 200, bubbles: true, cancelable: true }));
    else bars.dispatchEvent(new PointerEvent("pointermove", { clientX: box.left + (i * 5) % box.width, clientY: box.top + 40 + (i * 3) % 600, bubbles: true }));
    const now = await new Promise((resolve) => requestAnimationFrame(resolve));
    // Everything that a frame does runs before this message: drawing, rows, style, layout, paint.
    const begin = performance.now();
    await new Promise((resolve) => {
      const channel = new MessageChannel();
      channel.port1.onmessage = resolve;
      channel.port2.postMessage(0);
    });
    work.push(performance.now() - begin);
    if (last > 0) gaps.push(now - last);
    last = now;
  }
  const at = (list, share) => [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * share))].toFixed(1);
  return { gap: [0.5, 0.95, 1].map((share) => at(gaps, share)).join(" / "), work: [0.5, 0.95, 1].map((share) => at(work, share)).join(" / ") };
}

/** From the click to the first frame with another part of the trace of 1,000,000 spans. */
async function measureWindow() {
  await page.goto(`${origin}/trace/${traceIdOf(10)}?from=1000000000000&to=2000000000000`);
  await page.locator(".tree-row").first().waitFor();
  const time = await page.evaluate(async () => {
    const strip = document.querySelector(".part-strip");
    const before = strip.querySelector("b").textContent;
    const start = performance.now();
    [...strip.querySelectorAll("button")].find((one) => one.textContent === "Load this window").click();
    let [last, worst] = [start, 0];
    while (strip.querySelector("b").textContent === before) {
      await new Promise((resolve) => requestAnimationFrame(resolve));
      worst = Math.max(worst, performance.now() - last);
      last = performance.now();
    }
    return { total: last - start, worst, after: strip.querySelector("b").textContent };
  });
  process.stdout.write(`${time.after} Loaded in ${time.total.toFixed(0)} ms, the longest without a frame ${time.worst.toFixed(0)} ms\n`);
}

for (const [name, seed] of [["10,000", 3], ["100,000", 4], ["1,000,000", 10]]) {
  await fetch(`${origin}/api/v1/traces/${traceIdOf(seed)}`).then((answer) => answer.text());
  const begin = Date.now();
  await page.goto(`${origin}/trace/${traceIdOf(seed)}`);
  await page.waitForSelector(".tree-row");
  process.stdout.write(`${name} spans: first rows after ${Date.now() - begin} ms, ${await page.locator(".tree-row").count()} row elements\n`);
  for (const kind of ["scroll", "jump", "zoom", "hover"]) {
    const { gap, work } = await page.evaluate(measure, kind);
    process.stdout.write(`  ${kind.padEnd(6)} frame to frame ${gap} ms, work after rAF ${work} ms (median / p95 / worst)\n`);
  }
  await page.evaluate(() => document.activeElement?.blur());
  for (const key of ["[", "*", "e"]) {
    const time = await page.evaluate(async (pressed) => {
      const start = performance.now();
      window.dispatchEvent(new KeyboardEvent("keydown", { key: pressed, bubbles: true }));
      await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
      return performance.now() - start;
    }, key);
    process.stdout.write(`  key ${key}: ${time.toFixed(0)} ms to the next frame\n`);
  }
  await page.goto(`${origin}/trace/${traceIdOf(seed)}?view=space`);
  await page.waitForSelector(".space-lanes .lane");
  for (const kind of ["scroll", "zoom", "hover"]) {
    const { gap, work } = await page.evaluate(measure, kind);
    process.stdout.write(`  space-time ${kind.padEnd(6)} frame to frame ${gap} ms, work after rAF ${work} ms (median / p95 / worst)\n`);
  }
}
await measureWindow();
await browser.close();
server.close();
