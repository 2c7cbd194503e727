// Looks over every page and state, wide and narrow: accessibility faults in light and in dark, pages wider than the screen,
// what the console complains of, and names that got out of hand: node dev/sweep.mjs [--quick] [dist] [name filter].
// Quick looks are wide in light and narrow in dark. Fails on what axe calls serious or critical, and on any of the others.
import { act } from "./act.mjs";
import { launch } from "./browser.mjs";
import { COLOURS, isSerious, judge, outOfHand, RULES, violationText } from "./looks.mjs";
import { serve } from "./mock_server.mjs";
import { NOW, PAGES } from "./pages.mjs";
import { settler } from "./settle.mjs";

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
const server = await serve({ port: 0, dist, now: NOW });
const origin = `http://127.0.0.1:${server.address().port}`;
const browser = await launch();
let faults = 0;
let looked = 0;

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

function report(violation, fault, place) {
  if (isSerious(violation)) fault(violationText(violation));
  else process.stdout.write(`note  ${place}: ${violationText(violation)}\n`);
}

process.stdout.write(`${looked} pages and states, ${faults} faults\n`);
await browser.close();
server.close();
process.exitCode = faults > 0 || looked === 0 ? 1 : 0;
