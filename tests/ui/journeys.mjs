// What a person sees of a real server: node journeys.mjs URL TRACES [SCREENSHOTS]. TRACES is JSON: for each of
// `small`, `evil` and `large` its `id`, `service` and the `names` or the `count` of its spans. Prints one JSON line of
// figures; any complaint of the page fails the run.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(new URL("../../web/package.json", import.meta.url));
const { chromium } = require("playwright-core");

const [origin, tracesJson, screenshots = ""] = process.argv.slice(2);
const traces = JSON.parse(tracesJson);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
});
const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
context.setDefaultTimeout(30_000);
const page = await context.newPage();
const complaints = [];
watch(page);

function watch(watched) {
  watched.on("pageerror", (error) => complaints.push(String(error)));
  watched.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  watched.on("request", (request) => request.url().startsWith(origin) || complaints.push(`foreign request: ${request.url()}`));
}

const spanCount = () => page.locator(".trace-facts dt", { hasText: /^Spans$/ }).locator("xpath=following-sibling::dd").innerText();
const rowNames = async () => (await page.locator(".tree-row .name").allInnerTexts()).map((name) => name.trim()).sort();

/** Runs in the page: scrolls to the end, a step per frame, and looks at each frame. */
async function scroll(spans) {
  const scroller = document.querySelector(".timeline");
  const tree = document.querySelector(".tree-rows").getBoundingClientRect();
  const view = scroller.getBoundingClientRect();
  const [x, y] = [tree.left + 60, view.top + view.height / 2];
  const seen = new Set();
  const gaps = [];
  let [blank, blankMost, last] = [0, 0, performance.now()];
  const end = scroller.scrollHeight - scroller.clientHeight;
  const steps = 240;
  for (let step = 1; step <= steps; step++) {
    // Slowly at first, as when reading; then in leaps, as when the scroll bar is dragged.
    scroller.scrollTop = step <= 120 ? step * 40 : 4800 + ((end - 4800) * (step - 120)) / (steps - 120);
    const now = await new Promise((resolve) => requestAnimationFrame(resolve));
    await new Promise((resolve) => setTimeout(resolve));
    gaps.push(now - last);
    const row = document.elementFromPoint(x, y)?.closest(".tree-row");
    const isBlank = !row || row.innerText.trim() === "";
    blank = isBlank ? blank + now - last : 0;
    blankMost = Math.max(blankMost, blank);
    for (const one of document.querySelectorAll(".tree-row")) seen.add(one.id);
    last = now;
  }
  await new Promise((resolve) => setTimeout(resolve, 300));
  const bottom = document.querySelector(`#row-${spans - 1}`)?.getBoundingClientRect();
  gaps.sort((a, b) => a - b);
  const at = (share) => Math.round(gaps[Math.min(gaps.length - 1, Math.floor(gaps.length * share))] * 10) / 10;
  return {
    median_ms: at(0.5), p95_ms: at(0.95), worst_ms: at(1), blank_ms: Math.round(blankMost), rows_seen: seen.size,
    row_elements: document.querySelectorAll(".tree-row").length,
    end_is_visible: bottom !== undefined && bottom.bottom <= view.bottom + 1 && bottom.top >= view.top,
  };
}

async function smallTrace() {
  await page.goto(origin);
  const row = page.locator(`#trace-${traces.small.id}`);
  await row.waitFor();
  assert.match(await row.innerText(), new RegExp(`\\b${traces.small.names.length} spans\\b`));
  await row.getByRole("link").first().click();
  await page.locator(".trace-page .tree-row").first().waitFor();
  assert.ok(page.url().endsWith(`/trace/${traces.small.id}`), page.url());
  assert.equal(await spanCount(), String(traces.small.names.length));
  assert.deepEqual(await rowNames(), [...traces.small.names].sort());
}

async function evilTrace() {
  await page.goto(`${origin}/search?service=${encodeURIComponent(traces.evil.service)}`);
  const row = page.locator(`#trace-${traces.evil.id}`);
  await row.waitFor();
  assert.ok((await row.innerText()).includes(traces.evil.names[0]), await row.innerText());
  await page.goto(`${origin}/trace/${traces.evil.id}`);
  await page.locator(".tree-row").first().waitFor();
  assert.deepEqual(await rowNames(), [...traces.evil.names].sort());
  await page.locator("#row-0 .label").click();
  await page.locator(".span-panel .attribute-table").first().waitFor();
  assert.ok((await page.locator(".span-panel").innerText()).includes(traces.evil.names[0]));
  assert.equal(await page.locator(".trace-page :is(img, script, b)").count(), 0);
  assert.equal(await page.evaluate(() => window.pwned), undefined);
}

async function largeTrace() {
  const begin = Date.now();
  await page.goto(`${origin}/trace/${traces.large.id}`);
  await page.locator(".tree-row").first().waitFor();
  const figures = { first_rows_ms: Date.now() - begin };
  assert.equal((await spanCount()).replace(/\D/g, ""), String(traces.large.count));
  Object.assign(figures, await page.evaluate(scroll, traces.large.count));
  assert.ok(figures.rows_seen > 1_000, `only ${figures.rows_seen} rows were seen`);
  assert.ok(figures.row_elements < 200, `${figures.row_elements} row elements for one screen`);
  assert.ok(figures.end_is_visible, "the last row is not on screen after scrolling to the end");
  assert.ok(figures.blank_ms <= 500, `the tree was blank for ${figures.blank_ms} ms`);
  return figures;
}

/** The other views of a trace, the console and the comparison ask the server for more than the timeline does. */
async function otherPages() {
  const { id, service, names } = traces.small;
  await page.goto(`${origin}/trace/${id}?view=spans`);
  await page.locator(".virtual-table .body .row").first().waitFor();
  assert.equal(await page.locator(".virtual-table").getAttribute("aria-rowcount"), String(names.length + 1));
  await page.goto(`${origin}/trace/${id}?view=statistics&group=%40service.name`);
  await page.locator(".tab-bar", { hasText: `1 group, ${names.length} spans` }).waitFor();
  const group = page.locator(".virtual-table .body .row").first();
  await group.waitFor();
  assert.ok((await group.innerText()).startsWith(service));
  await page.goto(`${origin}/trace/${id}?view=flame`);
  await page.locator(".flame-detail", { hasText: `${names.length} spans` }).waitFor();
  await page.goto(`${origin}/trace/${id}?view=graph`);
  await page.getByText("1 box, 0 arrows").waitFor();
  await page.goto(`${origin}/trace/${id}?clock=aligned`);
  await page.locator(".clock-note", { hasText: "times are those of" }).waitFor();
  await page.getByRole("button", { name: "Causal" }).click();
  await page.locator(".clock-note", { hasText: "One step per start and end" }).waitFor();
  await page.goto(`${origin}/trace/${id}?view=space`);
  await page.locator(".space-lanes .lane").first().waitFor();
  await page.locator(".space-area").focus();
  await page.keyboard.press("ArrowDown");
  await page.locator(".cone-counts").waitFor();
  await page.goto(`${origin}/clocks`);
  await page.locator(".clock-row, .clocks-page .notice:not(.failed)").first().waitFor();
  await page.goto(`${origin}/trace/${id}?view=path`);
  await page.locator(".path-bar i").first().waitFor();
  await page.goto(`${origin}/trace/${id}?view=findings`);
  await page.locator(".findings-tab :is(.notice, .list)").waitFor();
  await page.goto(`${origin}/findings`);
  await page.getByRole("link", { name: /^The network is secure/ }).waitFor();

  const sql = `SELECT trace_id, count(*) AS spans FROM spans WHERE trace_id = '${id}' GROUP BY trace_id`;
  await page.goto(`${origin}/sql?q=${encodeURIComponent(sql)}`);
  await page.locator(".virtual-table .body .row").waitFor();
  assert.deepEqual((await page.locator(".virtual-table .body .row").innerText()).split(/\s+/), [id, String(names.length)]);
  await page.getByRole("button", { name: "Explain" }).click();
  await page.locator(".sql-plan pre").first().waitFor();

  await page.goto(`${origin}/compare?a=${id}&b=${traces.evil.id}`);
  await page.locator(".compare-bar .headline").waitFor();
  assert.equal(await page.locator(".compare-page :is(img, script)").count(), 0);

  await page.goto(`${origin}/search?plot=heat&service=${encodeURIComponent(service)}`);
  await page.locator(".heat-detail", { hasText: `${names.length} matching spans` }).waitFor();
}

/** A change is tried on a trace, and the services are looked at in the time of its spans. */
async function whatIfAndServices() {
  const { id, service } = traces.small;
  await page.goto(`${origin}/trace/${id}?view=path&change=${encodeURIComponent("faster:50:is:root")}`);
  await page.locator(".what-if .headline").waitFor();
  await page.locator(".new-timeline .virtual-table .body .row").first().waitFor();
  await page.getByRole("button", { name: "Close what if" }).click();
  assert.equal(await page.locator(".what-if").count(), 0);

  const { start_unix_nano: first } = await (await fetch(`${origin}/api/v1/traces/${id}`)).json();
  const minute = 60_000_000_000n;
  const time = `start=${BigInt(first) - minute}&end=${BigInt(first) + minute}`;
  // Which spans count as requests is the server's business; that it answers and nothing fails is what counts here.
  for (const view of ["list", "map", "calls"]) {
    await page.goto(`${origin}/services?view=${view}&${time}`);
    await page.locator(".services-page :is(.red-table, .call-graph, .notice:not(.failed))").first().waitFor();
  }
  await page.goto(`${origin}/services/${encodeURIComponent(service)}?${time}`);
  await page.getByRole("heading", { name: service, level: 1 }).waitFor();
  await page.locator(".services-page :is(.red-facts, .notice:not(.failed))").first().waitFor();
  await page.goto(`${origin}/services/${encodeURIComponent(service)}/${encodeURIComponent(traces.small.names[0])}?${time}`);
  await page.locator(".services-page :is(.red-facts, .notice:not(.failed))").first().waitFor();
}

/** OTLP/JSON with a trace of one span per id. */
function otlpFile(ids) {
  const nanos = (millis) => `${millis}000000`;
  const spans = ids.map((traceId) => ({
    traceId, spanId: traceId.slice(16), name: "GET /uploaded", kind: 2, startTimeUnixNano: nanos(Date.now() - 20), endTimeUnixNano: nanos(Date.now()), status: {},
  }));
  const resource = { attributes: [{ key: "service.name", value: { stringValue: "uploaded" } }] };
  return { name: "uploaded.json", mimeType: "application/json", buffer: Buffer.from(JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ scope: {}, spans }] }] })) };
}

/** What one page uploads another one that is live sees arrive; a file of one trace is opened at once. */
async function uploadAndTail() {
  const ids = ["a", "b", "c"].map((letter) => letter.repeat(32));
  const live = await context.newPage();
  watch(live);
  await live.goto(`${origin}/search?service=uploaded&live=1`);
  await live.locator(".tail, .first-span").first().waitFor();
  await page.goto(origin);
  await page.locator(".result-row").first().waitFor();
  await page.getByLabel("File of spans", { exact: true }).setInputFiles(otlpFile(ids.slice(0, 2)));
  const dialog = page.getByRole("dialog");
  await dialog.getByText("2 spans of 2 traces arrived.").waitFor();
  await dialog.getByRole("link", { name: ids[0] }).waitFor();
  await dialog.getByRole("button", { name: "Close" }).click();
  for (const id of ids.slice(0, 2)) await live.locator(`#trace-${id}`).waitFor();
  await live.close();
  await page.getByLabel("File of spans", { exact: true }).setInputFiles(otlpFile(ids.slice(2)));
  await page.locator(".trace-page .tree-row").first().waitFor();
  assert.ok(page.url().includes(`/trace/${ids[2]}`), page.url());
}

async function shoot() {
  mkdirSync(screenshots, { recursive: true });
  for (const [width, height] of [[1440, 900], [360, 740]]) {
    for (const colorScheme of ["light", "dark"]) {
      const other = await browser.newContext({ viewport: { width, height }, colorScheme });
      for (const [name, path] of [["search", "/"], ["small", `/trace/${traces.small.id}`], ["evil", `/trace/${traces.evil.id}`], ["large", `/trace/${traces.large.id}`]]) {
        const shot = await other.newPage();
        watch(shot);
        await shot.goto(origin + path);
        await shot.locator(path === "/" ? ".result-row" : ".tree-row").first().waitFor();
        await shot.waitForTimeout(300);
        await shot.screenshot({ path: `${screenshots}/${name}_${width}_${colorScheme}.png` });
        await shot.close();
      }
      await other.close();
    }
  }
}

let figures = {};
try {
  await smallTrace();
  await evilTrace();
  figures = await largeTrace();
  await otherPages();
  await whatIfAndServices();
  await uploadAndTail();
  if (screenshots !== "") await shoot();
  assert.deepEqual(complaints, []);
} catch (error) {
  process.stderr.write(`${error.stack}\non ${page.url()}; the page complained: ${JSON.stringify(complaints)}\n`);
  process.exitCode = 1;
} finally {
  await browser.close();
}
process.stdout.write(`${JSON.stringify(figures)}\n`);
