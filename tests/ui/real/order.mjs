// Space-time: what is proven, on a trace of the demo whose clocks disagree.
import assert from "node:assert/strict";
import { TRAIN } from "./trace.mjs";

export const JOURNEYS = {
  async "what is proven around a span is counted, and two spans are related with their proof"({ page, origin, fault, settle, params, sql }) {
    const [id] = fault("n_plus_one_http").example_traces;
    const [[spans]] = await sql(`SELECT count(*) FROM spans WHERE trace_id = '${id}'`);
    const rows = await sql(`SELECT span_id, parent_span_id, service_name FROM spans WHERE trace_id = '${id}' ORDER BY start_time, span_id`);
    const root = rows.find(([, parent]) => parent === null)[0];
    // A client call of the gateway, and what the callee did for it.
    const child = rows.find(([, parent, service]) => service === "catalogue" && rows.some(([one, , caller]) => one === parent && caller === "gateway"));
    await page.goto(`${origin}/trace/${id}?view=space&span=${child[1]}`);
    await page.locator(".cone-counts").waitFor();
    const counts = (await page.locator(".cone-counts b").allInnerTexts()).map(Number);
    assert.equal(counts.reduce((sum, one) => sum + one, 0), spans - 1, "each other span is before, after, together or undecided");
    assert.ok(counts[0] > 0 && counts[1] > 0, `before and after: ${counts}`);
    assert.deepEqual([await page.locator(".space-lanes .lane").count() >= 3, await page.locator(".space-lanes .lane", { hasText: "reference" }).count()], [true, 1]);
    // The server agrees about each of them.
    const cone = await (await fetch(`${origin}/api/v1/traces/${id}/cone?span=${child[1]}`)).json();
    assert.equal(cone.relation.filter((one) => one === "after").length + cone.relation.filter((one) => one === "before").length, counts[0] + counts[1]);

    await page.goto(`${origin}/trace/${id}?view=space&span=${child[1]}&focus=${child[0]}`);
    const verdict = page.locator(".verdict");
    await verdict.waitFor();
    assert.match(await verdict.innerText(), /started after A started and ended before A ended/);
    assert.match(await verdict.innerText(), /proven/i);
    const steps = page.locator(".reason ol li");
    assert.ok(await steps.count() >= 2, "the chain of messages is shown");
    const before = await verdict.innerText();
    await page.reload();
    await verdict.waitFor();
    assert.equal(await verdict.innerText(), before);
    await page.getByRole("button", { name: "Swap" }).click();
    await settle();
    assert.deepEqual([params().get("span"), params().get("focus")], [child[0], child[1]]);
    await page.locator(".space-area").focus();
    await page.keyboard.press("|");
    await page.getByText(/so this is a consistent cut/).waitFor();
    assert.ok(params().get("span") !== root);
  },

  async "raw clocks show what cannot have been, and the lanes of a trace without stamps are its processes"({ page, origin, fault, settle, params }) {
    const [id] = fault("impossible_order").example_traces;
    await page.goto(`${origin}/trace/${id}?view=space&clock=raw`);
    await page.locator(".clock-note.wrong", { hasText: /Raw times show \d+ messages? arriving before/ }).waitFor();
    await page.getByRole("button", { name: "Show aligned times" }).click();
    await settle();
    assert.equal(params().get("clock"), "aligned");
    await page.goto(`${origin}/trace/${TRAIN}?view=space`);
    await page.getByRole("application", { name: /^10 clocks\./ }).waitFor();
    assert.match(await page.locator(".space-panel").innerText(), /10 clocks without stamps/);
    await page.getByRole("group", { name: "Clock" }).getByRole("button", { name: "Causal" }).click();
    await page.getByText(/One step per start and end/).waitFor();
    await page.locator(".space-area").focus();
    for (const key of ["ArrowDown", "ArrowRight"]) await page.keyboard.press(key);
    await page.locator(".cone-counts").waitFor();
    const counts = (await page.locator(".cone-counts b").allInnerTexts()).map(Number);
    assert.equal(counts.reduce((sum, one) => sum + one, 0), 75);
  },
};
