// Pictures of every page and state, light and dark, narrow and wide, from a built UI in `dist` (or the
// folder given): node dev/shots.mjs [dist] [out] [name filter] [size filter, like 360_dark]. Reports everything the console complains of.
import { mkdirSync } from "node:fs";
import { act } from "./act.mjs";
import { launch } from "./browser.mjs";
import { serve } from "./mock_server.mjs";
import { NOW, PAGES } from "./pages.mjs";

const [dist = "dist", out = "shots", filter = "", only = ""] = process.argv.slice(2);
mkdirSync(out, { recursive: true });
const server = await serve({ port: 0, dist, now: NOW });
const origin = `http://127.0.0.1:${server.address().port}`;
const browser = await launch();
const mode = (text) => fetch(`${origin}/mock?empty=0&fail=0&slow=0&evil=0&${text}`);


/** Worth looking at on a 4K screen too. */
const WIDE = ["search", "trace_10k", "flame", "graph", "statistics", "sql_lines", "compare", "space", "clocks", "findings", "path", "services", "services_map", "service", "operation", "what_if", "compare_cohorts"];
let complaints = 0;
for (const [width, height, scheme] of [[1440, 900, "light"], [1440, 900, "dark"], [360, 740, "light"], [360, 740, "dark"], [3840, 2160, "light"]]) {
  if (!`${width}_${scheme}`.includes(only)) continue;
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme, hasTouch: width < 500, isMobile: width < 500, timezoneId: "Europe/Berlin" });
  for (const [name, path, wish = ""] of PAGES) {
    if (!name.includes(filter)) continue;
    if (width > 3000 && !WIDE.includes(name)) continue;
    await mode(wish);
    const page = await context.newPage();
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type()) && !message.text().includes("Failed to load resource")) {
        complaints++;
        process.stdout.write(`${name} ${width} ${scheme}: ${message.text()}\n`);
      }
    });
    page.on("pageerror", (error) => {
      complaints++;
      process.stdout.write(`${name} ${width} ${scheme}: ${error.stack}\n`);
    });
    page.on("request", (request) => {
      if (!request.url().startsWith(origin)) process.stdout.write(`foreign request: ${request.url()}\n`);
    });
    await page.goto(origin + path);
    await page.waitForTimeout(wish.startsWith("slow") ? 600 : name.includes("00k") || name.includes("million") ? 2500 : 900);
    await act(page, wish);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (overflow > 0) process.stdout.write(`${name} ${width} ${scheme}: ${overflow} px wider than the screen\n`);
    await page.screenshot({ path: `${out}/${name}_${width}_${scheme}.png` });
    await page.close();
  }
  await context.close();
}
process.stdout.write(`${complaints} complaints\n`);
await browser.close();
server.close();
