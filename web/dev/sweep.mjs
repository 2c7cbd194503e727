// Looks over every page and state, wide and narrow: accessibility faults in light and in dark, pages wider than the screen,
// what the console complains of, and names that got out of hand: node dev/sweep.mjs [--quick] [dist] [name filter].
// Quick looks are wide in light and narrow in dark. Fails on what axe calls serious or critical, and on any of the others.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { act } from "./act.mjs";
import { launch } from "./browser.mjs";
import { serve } from "./mock_server.mjs";
import { NOW, PAGES } from "./pages.mjs";
import { settler } from "./settle.mjs";

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const COLOURS = ["color-contrast"];
/** A page that loads for ever is looked at while it does. */
const LOADING_MS = 400;

// Dark differs by its colours alone.
const PASSES = [
  [1440, "light", RULES],
  [360, "dark", COLOURS],
  [360, "light", RULES],
  [1440, "dark", COLOURS],
];
const QUICK = 2;

const given = process.argv.slice(2);
const passes = given[0] === "--quick" ? (given.shift(), PASSES.slice(0, QUICK)) : PASSES;
const [dist = "dist", filter = ""] = given;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const server = await serve({ port: 0, dist, now: NOW });
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

for (const [width, colorScheme, rules] of passes) {
  const context = await browser.newContext({ viewport: { width, height: 900 }, hasTouch: width < 500, isMobile: width < 500, reducedMotion: "reduce", colorScheme });
  for (const [name, path, wish = ""] of PAGES.filter(([name]) => name.includes(filter))) {
    const hostile = wish.startsWith("evil");
    // Names change nothing that axe judges.
    if (hostile && rules === COLOURS) continue;
    const fault = (text) => {
      faults++;
      process.stdout.write(`FAIL  ${name} ${width} ${colorScheme}: ${text}\n`);
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
    if (!hostile) for (const violation of await judge(page, rules)) report(violation, fault, `${name} ${width} ${colorScheme}`);
    looked++;
    await page.close();
  }
  await context.close();
  process.stdout.write(`done  ${width} ${colorScheme}\n`);
}

async function judge(page, rules) {
  await page.evaluate(axe);
  return (await page.evaluate((runOnly) => globalThis.axe.run({ runOnly }), rules)).violations;
}

function report({ id, impact, help, nodes: [first, ...more] }, fault, place) {
  const text = `${impact} ${id}: ${help} (${more.length + 1}), as ${first.html.slice(0, 160)} ${first.failureSummary?.split("\n").slice(1, 2).join(" ")}`;
  if (impact === "serious" || impact === "critical") fault(text);
  else process.stdout.write(`note  ${place}: ${text}\n`);
}

process.stdout.write(`${looked} pages and states, ${faults} faults\n`);
await browser.close();
server.close();
process.exitCode = faults > 0 || looked === 0 ? 1 : 0;
