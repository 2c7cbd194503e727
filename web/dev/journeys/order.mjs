// Clocks and order: times as sent and aligned, space-time, the page of clocks.
import assert from "node:assert/strict";
import { traceIdOf } from "../mock_data.mjs";

export const JOURNEYS = {
  async "clocks that disagree are seen, aligned and explained"({ page, origin, params, settle }) {
    await page.goto(`${origin}/trace/${traceIdOf(9)}`);
    await page.getByText(/As sent, \d+ messages would arrive before they were sent/).waitFor();
    await page.getByRole("group", { name: "Clock" }).getByRole("button", { name: "Raw" }).click();
    await page.getByText(/messages arriving before they were sent/).waitFor();
    const asSent = await page.locator(".trace-facts").innerText();
    await page.getByRole("tab", { name: "Flame graph" }).click();
    await page.locator(".flame-detail").waitFor();
    const work = await page.locator(".flame-detail").innerText();
    await page.getByRole("group", { name: "Clock" }).getByRole("button", { name: "Aligned" }).click();
    await settle();
    assert.notEqual(await page.locator(".trace-facts").innerText(), asSent);
    assert.notEqual(await page.locator(".flame-detail").innerText(), work);
    await page.keyboard.press("t");
    await page.getByRole("tab", { name: "Timeline" }).click();
    await page.getByRole("button", { name: "Show aligned times" }).click();
    await page.getByText(/times are those of edge-proxy on fra-01/).waitFor();
    await page.locator(".tree-row", { hasText: "cart" }).first().click();
    await page.getByText(/known to ±/).first().waitFor();
    await settle();
    assert.equal(params().get("clock"), "aligned");
    await page.mouse.move(1000, 500);
    await page.keyboard.press("t");
    await page.getByText(/One step per start and end/).waitFor();
    await settle();
    assert.equal(params().get("clock"), "causal");
    await page.reload();
    await page.getByText(/One step per start and end/).waitFor();
    await page.keyboard.press("t");
    await page.getByRole("link", { name: "About this clock" }).click();
    await page.locator(".clocks-page h1").waitFor();
    assert.match(params().get("q"), /^node-/);
  },

  async "space-time shows what is proven around a span and between two"({ page, origin, params, settle }) {
    await page.goto(`${origin}/trace/${traceIdOf(9)}?view=space`);
    const area = page.locator(".space-area");
    await area.focus();
    for (const key of ["ArrowDown", "ArrowDown"]) await page.keyboard.press(key);
    await page.locator(".cone-counts").waitFor();
    await settle();
    assert.match(params().get("span"), /^[0-9a-f]{16}$/);
    const counts = (await page.locator(".cone-counts b").allInnerTexts()).map(Number);
    assert.equal(counts.reduce((sum, one) => sum + one, 0), 33);
    await page.keyboard.press("x");
    await page.keyboard.press("ArrowDown");
    await page.locator(".verdict").waitFor();
    await page.keyboard.press("|");
    await page.getByText(/so this is a consistent cut/).waitFor();
    await page.getByRole("slider", { name: "Cut" }).focus();
    const before = await page.getByRole("slider", { name: "Cut" }).getAttribute("aria-valuenow");
    await page.keyboard.press("ArrowRight");
    await settle();
    assert.ok(Number(await page.getByRole("slider", { name: "Cut" }).getAttribute("aria-valuenow")) > Number(before));
    assert.deepEqual([...params().keys()], ["span", "view", "focus", "cut"]);
    const verdict = await page.locator(".verdict").innerText();
    const cut = await page.locator(".space-panel h2").first().innerText();
    await page.reload();
    await page.locator(".verdict").waitFor();
    assert.equal(await page.locator(".verdict").innerText(), verdict);
    assert.equal(await page.locator(".space-panel h2").first().innerText(), cut);
    await page.getByRole("button", { name: "Clear the second span" }).click();
    await settle();
    assert.ok(!params().has("focus"));
    const box = await page.getByRole("slider", { name: "Cut" }).boundingBox();
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(box.x + 200, box.y + 8, { steps: 4 });
    await page.mouse.up();
    await settle();
    assert.notEqual(await page.locator(".space-panel h2").first().innerText(), cut);
    await page.getByRole("button", { name: "Raw", exact: true }).click();
    await settle();
    assert.ok(!params().has("cut"), "a moment of one axis is none of another");
  },

  async "the clocks page finds the worst, explains it and tells against another"({ page, origin, params, settle }) {
    await page.goto(origin);
    await page.getByRole("link", { name: "Clocks" }).click();
    await page.locator(".clock-row").first().waitFor();
    assert.match(await page.locator(".clock-row .badges").first().innerText(), /stepped|far off|contradictory/);
    await page.getByLabel("Filter clocks").fill("drifting");
    await settle();
    assert.equal(params().get("q"), "drifting");
    await page.getByText("What to do:").first().waitFor();
    await page.getByRole("button", { name: "Tell all offsets against this clock" }).click();
    await settle();
    assert.match(params().get("reference"), /^node-/);
    await page.getByLabel("Filter clocks").fill("");
    await page.getByRole("link", { name: "Pairs" }).click();
    await page.locator(".pairs td.pair").first().waitFor();
    await page.reload();
    await page.locator(".pairs td.pair").first().waitFor();
    await page.getByRole("link", { name: "What it means" }).click();
    await page.locator(".clock-help dt").first().waitFor();
  },
};
