// Every page as it stands on real data, wide and narrow, light and dark: what axe calls serious, names that got out of
// hand, pages wider than the screen; and what the pages may load from where.
import assert from "node:assert/strict";
import { isSerious, judge, outOfHand, RULES, violationText } from "../../../web/dev/looks.mjs";
import { settler } from "../../../web/dev/settle.mjs";
import { TRAIN } from "./trace.mjs";

/** Best practices are never serious; the sweep of the web tells of them. */
const SERIOUS_RULES = RULES.filter((one) => one !== "best-practice");
const ZIPKIN = "8ce82b2e9ed820ba";
const trainTime = "start=2023-01-29T08:00:00Z&end=2023-01-29T10:00:00Z";

/** The first of each pair of looks takes all pages, the second one those that are marked. */
function pages({ n1, off, quotes }) {
  return [
    ["/", true], ["/search?plot=heat"], ["/search?service=nobody"],
    [`/trace/${n1}?find=SELECT+brands`, true], [`/trace/${TRAIN}?view=timeline`, true], [`/trace/${ZIPKIN}`, true], [`/trace/${off}?clock=raw`],
    [`/trace/${quotes}?view=space`, true], [`/trace/${TRAIN}?view=space&clock=causal`], [`/trace/${ZIPKIN}?view=flame`], [`/trace/${ZIPKIN}?view=statistics`], [`/trace/${TRAIN}?view=spans`, true],
    [`/trace/${TRAIN}?view=graph`], [`/trace/${n1}?view=findings&change=${encodeURIComponent("batch:0:finding:n_plus_one")}`, true], [`/trace/${ZIPKIN}?view=path`],
    ["/findings", true], ["/clocks", true], ["/clocks?view=pairs"], ["/clocks?view=help"],
    ["/services", true], [`/services?view=map&${trainTime}`], ["/services?view=calls"], ["/services/gateway", true], [`/services/gateway/${encodeURIComponent("GET /dashboard")}`],
    [`/sql?q=${encodeURIComponent("SELECT * FROM traces ORDER BY start_time LIMIT 100")}`, true], [`/compare?a=${n1}&b=${TRAIN}`, true], [`/trace/${"e".repeat(32)}`],
  ];
}

async function look({ browser, open, origin, forgive }, { width, colorScheme }, paths) {
  const context = await browser.newContext({ viewport: { width, height: 900 }, hasTouch: width < 500, isMobile: width < 500, reducedMotion: "reduce", colorScheme });
  const faults = [];
  const page = await open(context);
  const settle = settler(page);
  for (const path of paths) {
    await page.goto(origin + path);
    await settle();
    const found = [...await page.evaluate(outOfHand), ...(await judge(page, SERIOUS_RULES)).filter(isSerious).map(violationText)];
    faults.push(...found.map((one) => `${path} at ${width} ${colorScheme}: ${one}`));
  }
  forgive(404);
  await context.close();
  assert.deepEqual(faults, []);
}

const known = ({ fault }) => pages({ n1: fault("n_plus_one_sql").example_traces[0], off: fault("clock_offset").example_traces[0], quotes: fault("impossible_order").example_traces[0] });

export const JOURNEYS = {
  async "every page, wide and light"(stage) {
    await look(stage, { width: 1440, colorScheme: "light" }, known(stage).map(([path]) => path));
  },

  async "the main pages, narrow and dark"(stage) {
    await look(stage, { width: 360, colorScheme: "dark" }, known(stage).filter(([, main]) => main).map(([path]) => path));
  },
};
