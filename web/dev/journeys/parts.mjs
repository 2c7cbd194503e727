// A trace too large for one answer: the part that is here, and the ways to the others.
import assert from "node:assert/strict";
import { idOf, traceIdOf } from "../mock_data.mjs";

const MILLION = traceIdOf(10);

export const JOURNEYS = {
  async "a million spans open by windows, and each window is an address"({ page, origin, params, settle, chosen }) {
    await page.goto(`${origin}/trace/${MILLION}`);
    const strip = page.getByRole("region", { name: "What is loaded" });
    await strip.getByText("100,000 of 1,000,000 spans: the longest of the whole trace.").waitFor();
    const load = strip.getByRole("button", { name: "Load this window" });
    assert.ok(await load.isDisabled());
    // A second shard of the trace, by its row: it is chosen, fills the timeline, and has all of its spans.
    const shard = page.locator(".tree-row", { hasText: "reindex shard" }).first();
    await shard.getByRole("button", { name: /^\+ \d+ shorter$/ }).click();
    await strip.getByText(/the longest from \+723 ms to \+5.33 s/).waitFor();
    await settle();
    assert.equal(await chosen(), "row-1");
    assert.equal(await page.locator(".tree-row.chosen .hidden-rows").count(), 0);
    const first = params();
    assert.match(first.get("part"), /^\d{19}-\d{19}$/);
    assert.ok(first.has("from") && first.has("to"));

    // Zoomed in elsewhere, the window is loaded; search and tab stay.
    await page.getByLabel("Find in this trace").fill("service:payments");
    await strip.getByRole("button", { name: "Whole trace" }).click();
    await strip.getByText("the longest of the whole trace.").waitFor();
    await settle();
    assert.equal(String(params()), `span=${first.get("span")}&find=service%3Apayments`);
    const map = await page.locator(".minimap-strip").boundingBox();
    await page.mouse.move(map.x + map.width * 0.5, map.y + 30);
    await page.mouse.down();
    await page.mouse.move(map.x + map.width * 0.51, map.y + 30, { steps: 4 });
    await page.mouse.up();
    await settle();
    const zoom = [params().get("from"), params().get("to")];
    await page.getByRole("tab", { name: "Statistics" }).click();
    await load.click();
    await strip.getByText(/^\d\d,\d\d\d of 1,000,000 spans: the longest from \+1 h/).waitFor();
    await settle();
    assert.deepEqual([params().get("from"), params().get("to"), params().get("view"), params().get("find")], [...zoom, "statistics", "service:payments"]);
    const [start, end] = params().get("part").split("-").map(BigInt);
    assert.ok(end - start >= BigInt(Math.floor(zoom[1] - zoom[0])));

    // All of it comes back by the address, and by the history.
    const sentence = await strip.locator("b").innerText();
    const shared = page.url();
    await page.reload();
    await strip.getByText(sentence).waitFor();
    await settle();
    assert.equal(page.url(), shared);
    await page.goBack();
    await settle();
    await page.goBack();
    await strip.getByText("the longest of the whole trace.").waitFor();
    await settle();
    assert.ok(!params().has("part"));
  },

  async "a part that is slow or fails leaves what is there"({ page, origin, complaints, settle, params }) {
    await page.goto(`${origin}/trace/${MILLION}?from=1000000000000&to=1100000000000`);
    const strip = page.getByRole("region", { name: "What is loaded" });
    const load = strip.getByRole("button", { name: "Load this window" });
    await load.waitFor();
    await fetch(`${origin}/mock?slow=3000`);
    await load.click();
    await strip.getByText("Loading…").waitFor();
    await page.locator(".tree-row").first().waitFor();
    await strip.getByRole("button", { name: "Cancel" }).click();
    await load.waitFor();
    assert.equal(await strip.getByRole("alert").count(), 0);
    await fetch(`${origin}/mock?slow=0&fail=1`);
    await load.click();
    await strip.getByRole("alert").waitFor();
    assert.match(await strip.getByRole("alert").innerText(), /could not be loaded: query memory limit/);
    assert.ok((await page.locator(".tree-row").count()) > 5);
    await fetch(`${origin}/mock?fail=0`);
    await strip.getByRole("button", { name: "Try again" }).click();
    await strip.getByText(/the longest from/).waitFor();
    await settle();
    assert.ok(params().has("part"));
    // The browser tells of each answer that is an error.
    complaints.splice(0, complaints.length, ...complaints.filter((one) => !one.includes("503")));
  },

  async "a span that was left out is loaded by its link and by its finding"({ page, origin, settle, params, chosen }) {
    await page.goto(`${origin}/trace/${MILLION}?view=findings`);
    await page.getByRole("button", { name: "Load the part they are in" }).first().click();
    const strip = page.getByRole("region", { name: "What is loaded" });
    await strip.getByText(/the longest from/).waitFor();
    await settle();
    const span = params().get("span");
    await page.goto(`${origin}/trace/${MILLION}?span=${span}`);
    await strip.getByText("The chosen span is not among them.").waitFor();
    await settle();
    assert.equal(params().get("span"), span);
    await strip.getByRole("button", { name: "Load its part" }).click();
    await page.locator(".span-panel .attribute-table").first().waitFor();
    await settle();
    assert.match(await chosen(), /^row-\d+$/);
    assert.equal(params().get("span"), span);
    assert.notEqual(span, idOf(10, 0));
  },
};
