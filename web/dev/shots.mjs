// Pictures of every page and state, light and dark, narrow and wide, from a built UI in `dist` (or the
// folder given): node dev/shots.mjs [dist] [out] [name filter] [size filter, like 360_dark]. Reports everything the console complains of.
import { mkdirSync } from "node:fs";
import { launch } from "./browser.mjs";
import { serve } from "./mock_server.mjs";
import { idOf, traceIdOf } from "./mock_data.mjs";

const [dist = "dist", out = "shots", filter = "", only = ""] = process.argv.slice(2);
mkdirSync(out, { recursive: true });
const NOW = Date.UTC(2026, 10, 20, 14, 30);
const server = await serve({ port: 0, dist, now: NOW });
const origin = `http://127.0.0.1:${server.address().port}`;
const browser = await launch();
const trace = (seed, query = "") => `/trace/${traceIdOf(seed)}${query}`;
const mode = (text) => fetch(`${origin}/mock?empty=0&fail=0&slow=0&${text}`);

const PAGES = [
  ["search", "/"],
  ["search_filtered", "/search?service=checkout&status=error&min_duration=10ms&attr=http.route%3D%2Fcart&order=slowest&start=-7d&live=1"],
  ["search_none", "/search?attr=no%3Dmatch"],
  ["search_empty", "/", "empty=1"],
  ["search_failed", "/", "fail=1"],
  ["search_loading", "/", "slow=5000"],
  ["trace_error", trace(1)],
  ["trace_span", trace(1, `?span=${idOf(1, 4)}`)],
  ["trace_missing", trace(2, `?span=${idOf(2, 0)}`)],
  ["trace_evil", trace(5, `?span=${idOf(5, 2)}`)],
  ["trace_flags", trace(6, `?span=${idOf(6, 3)}`)],
  ["trace_10k", trace(3, "?find=postgres")],
  ["trace_100k", trace(4, "?from=100000000000&to=101000000000")],
  ["trace_level", trace(3, "?level=2")],
  ["flame", trace(1, "?view=flame")],
  ["flame_zoomed", trace(3, `?view=flame&find=postgres&focus=${idOf(3, 1)}`)],
  ["flame_100k", trace(4, "?view=flame")],
  ["statistics", trace(3, "?view=statistics")],
  ["statistics_attribute", trace(1, "?view=statistics&group=%40host.name&sort=-count")],
  ["statistics_none", trace(1, "?view=statistics&find=nothing")],
  ["statistics_evil", trace(5, "?view=statistics")],
  ["spans", trace(3, `?view=spans&sort=-duration&find=cart&span=${idOf(3, 9)}`)],
  ["graph", trace(3, "?view=graph")],
  ["graph_operations", trace(8, "?view=graph&group=operation")],
  ["trace_absent", "/trace/abc"],
  ["trace_loading", trace(1), "slow=5000"],
];

let complaints = 0;
for (const [width, height, scheme] of [[1440, 900, "light"], [1440, 900, "dark"], [360, 740, "light"], [360, 740, "dark"], [3840, 2160, "light"]]) {
  if (!`${width}_${scheme}`.includes(only)) continue;
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme, hasTouch: width < 500, isMobile: width < 500, timezoneId: "Europe/Berlin" });
  for (const [name, path, wish = ""] of PAGES) {
    if (!name.includes(filter)) continue;
    if (width > 3000 && !["search", "trace_10k"].includes(name)) continue;
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
    await page.waitForTimeout(wish.startsWith("slow") ? 600 : name.includes("00k") ? 2500 : 900);
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
