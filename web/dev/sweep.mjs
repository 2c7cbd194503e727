// Looks over every page and state, wide and narrow: accessibility faults in light and in dark, pages wider than the screen,
// what the console complains of, and names that got out of hand: node dev/sweep.mjs [dist] [name filter].
// Fails on what axe calls serious or critical, and on any of the others.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { act } from "./act.mjs";
import { launch } from "./browser.mjs";
import { serve } from "./mock_server.mjs";
import { PAGES } from "./pages.mjs";
import { settler } from "./settle.mjs";

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
/** A page that loads for ever is looked at while it does. */
const LOADING_MS = 400;

const [dist = "dist", filter = ""] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const server = await serve({ port: 0, dist, now: Date.UTC(2026, 10, 20, 14, 30) });
const origin = `http://127.0.0.1:${server.address().port}`;
const browser = await launch();
let faults = 0;
let looked = 0;

/** Elements that names made, and characters of names that are not shown as what they are. Fields hold texts as they are. */
function outOfHand() {
  const found = [...document.querySelectorAll("#app :is(img, script, iframe)")].map((one) => `element ${one.outerHTML.slice(0, 80)}`);
  const hidden = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])/;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    if (node.nodeType === Node.TEXT_NODE && node.parentElement?.closest("textarea, .editor, datalist") !== null) continue;
    const texts = node.nodeType === Node.TEXT_NODE ? [node.data] : ["title", "aria-label"].map((name) => node.getAttribute(name) ?? "");
    for (const text of texts) if (hidden.test(text)) found.push(`hidden character in ${JSON.stringify(text.slice(Math.max(0, text.search(hidden) - 20)).slice(0, 60))} of ${(node.parentElement ?? node).tagName} ${(node.parentElement ?? node).className}`);
  }
  const wider = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  if (wider > 0) found.push(`${wider} px wider than the screen`);
  return found.slice(0, 5);
}

for (const width of [1440, 360]) {
  const context = await browser.newContext({ viewport: { width, height: 900 }, hasTouch: width < 500, isMobile: width < 500, reducedMotion: "reduce" });
  for (const [name, path, wish = ""] of PAGES.filter(([name]) => name.includes(filter))) {
    const fault = (text) => {
      faults++;
      process.stdout.write(`FAIL  ${name} ${width}: ${text}\n`);
    };
    await fetch(`${origin}/mock?empty=0&fail=0&slow=0&evil=0&${wish}`);
    const page = await context.newPage();
    const settle = settler(page);
    page.on("dialog", (dialog) => fault(`dialog ${dialog.message()}`));
    page.on("pageerror", (error) => fault(String(error)));
    page.on("console", (message) => message.type() === "error" && !message.text().includes("Failed to load resource") && fault(message.text()));
    page.on("request", (request) => !request.url().startsWith(origin) && fault(`foreign request ${request.url()}`));
    await page.goto(origin + path);
    await (wish.startsWith("slow") ? page.waitForTimeout(LOADING_MS) : settle());
    await act(page, wish);
    (await page.evaluate(outOfHand)).forEach(fault);
    looked++;
    // Names change nothing that axe judges.
    if (!wish.startsWith("evil")) await page.evaluate(axe);
    for (const [colorScheme, values] of wish.startsWith("evil") ? [] : [["light", RULES], ["dark", ["color-contrast"]]]) {
      await page.emulateMedia({ colorScheme });
      const { violations } = await page.evaluate((runOnly) => globalThis.axe.run({ runOnly }), values);
      for (const { id, impact, help, nodes } of violations) {
        const [first] = nodes;
        const text = `${colorScheme} ${impact} ${id}: ${help} (${nodes.length}), as ${first?.html.slice(0, 160)} ${first?.failureSummary?.split("\n").slice(1, 2).join(" ")}`;
        if (impact === "serious" || impact === "critical") fault(text);
        else process.stdout.write(`note  ${name} ${width}: ${text}\n`);
      }
    }
    await page.close();
    process.stdout.write(`done  ${name} ${width}\n`);
  }
  await context.close();
}
process.stdout.write(`${looked} pages and states, ${faults} faults\n`);
await browser.close();
server.close();
process.exitCode = faults > 0 || looked === 0 ? 1 : 0;
