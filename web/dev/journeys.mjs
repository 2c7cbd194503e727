// Journeys through the built UI, as a person takes them: node dev/journeys.mjs [dist] [name filter]
import { readdirSync } from "node:fs";
import { launch } from "./browser.mjs";
import { serve } from "./mock_server.mjs";
import { settler } from "./settle.mjs";

const [dist = "dist", filter = ""] = process.argv.slice(2);
const server = await serve({ port: 0, dist });
const origin = `http://127.0.0.1:${server.address().port}`;
const browser = await launch();
const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, permissions: ["clipboard-read", "clipboard-write"] });
const page = await context.newPage();
const complaints = [];
page.on("pageerror", (error) => complaints.push(String(error)));
page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
const tools = {
  page, origin, complaints, settle: settler(page),
  params: () => new URL(page.url()).searchParams,
  chosen: () => page.locator(".tree-row.chosen").getAttribute("id"),
};

let failed = 0;
for (const file of readdirSync(new URL("journeys", import.meta.url)).sort()) {
  const { JOURNEYS } = await import(`./journeys/${file}`);
  for (const [name, journey] of Object.entries(JOURNEYS).filter(([name]) => `${file} ${name}`.includes(filter))) {
    try {
      await journey(tools);
      process.stdout.write(`ok    ${name}\n`);
    } catch (error) {
      failed++;
      process.stdout.write(`FAIL  ${name}\n${error.stack}\n`);
      await page.screenshot({ path: "journey_failed.png" });
    }
    await fetch(`${origin}/mock?empty=0&fail=0&slow=0&refuse=0`);
  }
}
for (const one of complaints) process.stdout.write(`page complained: ${one}\n`);
await browser.close();
server.close();
process.exitCode = failed + complaints.length > 0 ? 1 : 0;
