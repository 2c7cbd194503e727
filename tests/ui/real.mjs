// Journeys on a real server: node real.mjs first|all KNOWN [NAME FILTER]. KNOWN is JSON, see stage.mjs. `first` takes the
// journeys of a server without spans and leaves it with some; `all` takes the others, on one that the demo and the real
// data sets have filled. Any complaint of a page fails the journey that it came in.
import { openStage } from "./stage.mjs";

const [phase, known, filter = ""] = process.argv.slice(2);
const FILES = { first: ["first"], all: ["search", "trace", "order", "views", "findings", "clocks", "services", "sql", "compare", "looks"] };
const stage = await openStage(JSON.parse(known));
let [taken, failed] = [0, 0];
for (const file of FILES[phase]) {
  const { JOURNEYS } = await import(`./real/${file}.mjs`);
  for (const [name, journey] of Object.entries(JOURNEYS).filter(([name]) => `${file}: ${name}`.includes(filter))) {
    const begun = Date.now();
    taken++;
    try {
      await journey(stage);
      if (stage.complaints.length > 0) throw new Error(`the page complained: ${JSON.stringify(stage.complaints)}`);
      process.stdout.write(`ok    ${file}: ${name} (${((Date.now() - begun) / 1000).toFixed(1)} s)\n`);
    } catch (error) {
      failed++;
      process.stdout.write(`FAIL  ${file}: ${name}, on ${stage.page.url()}\n${error.stack}\n${JSON.stringify(stage.complaints)}\n`);
      if (process.env.CAUSEWAY_SCREENSHOTS) await stage.page.screenshot({ path: `${process.env.CAUSEWAY_SCREENSHOTS}/failed_${file}_${taken}.png` });
    }
    stage.complaints.splice(0);
  }
}
await stage.browser.close();
process.stdout.write(`${taken} journeys, ${failed} failed\n`);
process.exitCode = failed > 0 || taken === 0 ? 1 : 0;
