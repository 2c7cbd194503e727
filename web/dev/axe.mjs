// Accessibility faults of every page and state: node dev/axe.mjs [dist] [name filter]. Fails on any that axe
// calls serious or critical.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { act } from "./act.mjs";
import { launch } from "./browser.mjs";
import { serve } from "./mock_server.mjs";
import { PAGES } from "./pages.mjs";

const [dist = "dist", filter = ""] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const server = await serve({ port: 0, dist, now: Date.UTC(2026, 10, 20, 14, 30) });
const origin = `http://127.0.0.1:${server.address().port}`;
const browser = await launch();
let faults = 0;
for (const [width, colorScheme] of [[1440, "light"], [1440, "dark"], [360, "light"]]) {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme, hasTouch: width < 500, isMobile: width < 500 });
  for (const [name, path, wish = ""] of PAGES.filter(([name]) => name.includes(filter))) {
    await fetch(`${origin}/mock?empty=0&fail=0&slow=0&${wish}`);
    const page = await context.newPage();
    await page.goto(origin + path);
    await page.waitForTimeout(wish.startsWith("slow") ? 400 : name.includes("00k") ? 2500 : 700);
    await act(page, wish);
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => globalThis.axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
    for (const { id, impact, help, nodes } of violations) {
      if (impact === "serious" || impact === "critical") faults++;
      process.stdout.write(`${name} ${width} ${colorScheme}: ${impact} ${id}: ${help}\n`);
      for (const node of nodes.slice(0, 3)) process.stdout.write(`    ${node.html.slice(0, 160)}\n    ${node.failureSummary?.split("\n").slice(1, 2).join(" ")}\n`);
    }
    await page.close();
  }
  await context.close();
}
process.stdout.write(`${faults} serious faults\n`);
await browser.close();
server.close();
process.exitCode = faults > 0 ? 1 : 0;
