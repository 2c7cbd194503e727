// Findings, what they lead to, and what a change would do.
import assert from "node:assert/strict";
import { idOf, traceIdOf } from "../mock_data.mjs";

export const JOURNEYS = {
  async "a finding leads from the whole system to the spans of one trace"({ page, origin, params, settle }) {
    await page.goto(origin);
    await page.getByRole("link", { name: "Findings", exact: true }).click();
    await page.getByRole("link", { name: /^The network is secure\s*No finding/ }).waitFor();
    await settle();
    assert.equal(await page.locator(".group-row").count(), 5);
    await page.getByRole("link", { name: /^Latency is zero/ }).click();
    await page.getByLabel("Severity").selectOption("high");
    await page.getByText("1 kind of finding in 1 place").waitFor();
    assert.equal(String(params()), "fallacy=latency_is_zero&severity=high");
    await page.reload();
    await page.getByRole("button", { name: "Why, and what to do" }).click();
    await page.getByText("Ask for all items at once: 137 calls become 1.").waitFor();
    await page.getByRole("link", { name: /SELECT items 137 times/ }).click();
    await page.getByRole("heading", { name: "Where it was seen" }).waitFor();
    await page.getByText("Evidence in figures").click();
    await page.locator(".figures", { hasText: "6.1 ms" }).waitFor();
    await page.locator(".virtual-table").focus();
    for (const key of ["ArrowDown", "Enter"]) await page.keyboard.press(key);
    await page.getByText("137 spans marked:").waitFor();
    await page.locator(".find output", { hasText: "1 / 137" }).waitFor();
    assert.match(params().get("span"), /^[0-9a-f]{16}$/);
    await page.goBack();
    await page.goBack();
    await page.getByRole("link", { name: traceIdOf(8).slice(0, 8) }).click();
    // This link names no span: the first one of the finding is chosen when it is known.
    await page.locator(".tree-row.chosen", { hasText: "SELECT items" }).waitFor();
    await page.getByRole("button", { name: "Clear the marks" }).click();
    await settle();
    assert.ok(!params().has("find"));

    await page.goto(`${origin}/trace/${traceIdOf(1)}`);
    await page.getByRole("tab", { name: "Findings 3" }).click();
    await page.getByRole("button", { name: "shop-web GET /cart makes 3 calls one after another" }).click();
    await settle();
    const group = params().get("group");
    await page.reload();
    await page.getByText("A call needs what an earlier one answered.").waitFor();
    assert.equal(params().get("group"), group);
    await page.locator(".finding.open .span-link").nth(2).click();
    await settle();
    assert.equal(params().get("find"), `finding:${group}`);
    assert.equal(params().get("span"), idOf(1, 2));
    await page.getByText("3 spans marked:").waitFor();
    await page.goBack();
    await page.locator(".finding.open").waitFor();
  },

  async "a group is decided about, comes back in the list, and its traces are found"({ page, origin, params, settle }) {
    await page.goto(`${origin}/findings`);
    await page.locator(".group-row .sparkline").nth(4).waitFor();
    await page.getByLabel("State").selectOption("regressed");
    await settle();
    assert.equal(String(params()), "state=regressed");
    await page.reload();
    const rows = page.locator(".group-row");
    await rows.first().waitFor();
    assert.equal(await rows.count(), 1);
    await rows.getByRole("link", { name: /got no answer of payments/ }).click();
    const state = page.getByRole("region", { name: "State" });
    await state.getByText("It was resolved in version 2.4.1 2 h ago, and has been found again since.").waitFor();
    await page.getByRole("img", { name: "Findings over time" }).waitFor();
    await settle();
    assert.match(await page.locator(".versions").innerText(), /2\.4\.0[^]*before it was resolved[^]*2\.4\.1[^]*should be resolved here/);
    await state.getByRole("button", { name: "Acknowledge" }).click();
    await state.getByLabel("Note").fill("<b>later</b>");
    await page.keyboard.press("Enter");
    await state.getByText("Somebody took note of it").waitFor();
    await page.reload();
    await state.getByText("<b>later</b>").waitFor();
    await state.getByRole("button", { name: "Resolve" }).click();
    await state.getByLabel("In version").fill("2.5.0");
    await state.getByRole("button", { name: "It is resolved" }).click();
    await state.getByText("Resolved in version 2.5.0").waitFor();
    await state.getByRole("button", { name: "Open again" }).click();
    await state.getByText("Nobody has decided about it.").waitFor();
    await page.getByRole("link", { name: "Search these traces" }).click();
    await page.locator(".total").waitFor();
    assert.match(String(params()), /^finding=[0-9a-f]{32}&order=worst$/);
  },

  async "a change is tried on a finding, altered, shared and taken back"({ page, origin, params, settle }) {
    await page.goto(`${origin}/trace/${traceIdOf(8)}?view=findings`);
    await page.getByRole("button", { name: "What if…" }).first().click();
    const panel = page.getByRole("region", { name: "What if" });
    await panel.getByText("saves 356 ms, 56 %").waitFor();
    const rows = panel.locator(".virtual-table .body .row");
    assert.match(await rows.nth(3).innerText(), /137 ×[^]*SELECT items[^]*394 ms[^]*1 × /);
    await panel.getByLabel("Change", { exact: true }).selectOption("faster");
    await panel.getByLabel("by percent").fill("nonsense");
    await panel.getByLabel("by percent").and(page.locator("[aria-invalid=true]")).waitFor();
    await panel.getByLabel("by percent").fill("100");
    await panel.locator(".headline:not(.stale)", { hasText: "saves" }).waitFor();
    await settle();
    assert.match(params().get("change"), /^faster:100:finding:/);
    await page.reload();
    await panel.locator(".headline").waitFor();
    await page.getByRole("tab", { name: "Critical path" }).click();
    await panel.locator(".headline").waitFor();
    await page.locator(".path-tab .virtual-table").first().getByRole("button", { name: "What if…" }).first().click();
    await panel.locator(".changes li").nth(2).waitFor();
    await panel.getByRole("button", { name: "Close what if" }).click();
    await settle();
    assert.ok(!params().has("change"));
  },
};
