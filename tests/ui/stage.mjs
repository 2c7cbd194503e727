// What journeys on a real server share: the browser, a page whose complaints are kept, and what is known of the data.
// A journey gets all of this as one object.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { launch } from "../../web/dev/browser.mjs";
import { settler } from "../../web/dev/settle.mjs";

/** A debug server on a machine that does other things too. */
const ANSWER_MS = 30_000;

/** `known`: `origin` and `otlp` of the server, `data` the folder of data sets, `truth` the file that the demo wrote. */
export async function openStage(known) {
  const { origin, otlp, data } = known;
  const browser = await launch();
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, permissions: ["clipboard-read", "clipboard-write"] });
  context.setDefaultTimeout(ANSWER_MS);
  const complaints = [];
  const open = async (other = context) => watch(await other.newPage(), origin, complaints);
  const page = await open();
  return {
    browser, context, page, origin, otlp, complaints, open, settle: settler(page),
    ...(known.truth === "" ? {} : truthOf(JSON.parse(readFileSync(known.truth, "utf8")))),
    params: () => new URL(page.url()).searchParams,
    /** A file of the data sets, unpacked. */
    file: (name) => {
      const bytes = readFileSync(join(data, name));
      return name.endsWith(".gz") ? gunzipSync(bytes) : bytes;
    },
    sql: async (statement) => {
      const answer = await fetch(`${origin}/api/v1/sql`, { method: "POST", headers: { accept: "application/json", "content-type": "text/plain" }, body: statement });
      const text = await answer.text();
      assert.equal(answer.status, 200, `${statement}: ${text}`);
      return JSON.parse(text).rows;
    },
    /** A figure above a trace, such as `Spans`. */
    fact: (name) => page.locator(".trace-facts dt", { hasText: new RegExp(`^${name}$`) }).locator("xpath=following-sibling::dd").innerText(),
    /** Forgets what the browser says itself of an answer that was to fail. */
    forgive: (status) => complaints.splice(0, complaints.length, ...complaints.filter((one) => !(one.includes("Failed to load resource") && one.includes(String(status))))),
  };
}

/** What the demo built in. */
function truthOf(truth) {
  return {
    truth,
    fault: (name) => {
      const found = truth.faults.find((one) => one.name === name);
      assert.ok(found?.example_traces.length > 0, `the demo sent no ${name}`);
      return found;
    },
    clock: (instance) => truth.clocks.find((one) => one.instance === instance),
  };
}

function watch(page, origin, complaints) {
  page.on("dialog", (dialog) => complaints.push(`dialog: ${dialog.message()}`));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => message.type() === "error" && complaints.push(`${message.text()} ${message.location().url}`));
  page.on("request", (request) => request.url().startsWith(origin) || complaints.push(`foreign request: ${request.url()}`));
  return page;
}

/** The number in `1,000 traces`. */
export const numberIn = (text) => Number(/[\d,]+/.exec(text)?.[0].replaceAll(",", ""));
