// Two traces or two cohorts side by side.
import assert from "node:assert/strict";
import { traceIdOf } from "../mock_data.mjs";

export const JOURNEYS = {
  async "a trace is compared with another one of its operation"({ page, origin, params, settle }) {
    await page.goto(`${origin}/trace/${traceIdOf(1)}`);
    await page.locator(".trace-header").getByRole("link", { name: "Compare" }).click();
    await page.getByLabel("Slowest of the same operation, for B").getByRole("link").first().click();
    await page.locator(".compare-bar").waitFor();
    const shared = page.url();
    assert.match(shared, /\/compare\?a=[0-9a-f]{32}&b=[0-9a-f]{32}$/);
    const headline = await page.locator(".headline").innerText();
    await page.getByRole("button", { name: "Swap A and B" }).click();
    await settle();
    assert.notEqual(page.url(), shared);
    await page.goBack();
    await settle();
    assert.equal(await page.locator(".headline").innerText(), headline);
    await page.getByRole("button", { name: "Tree", exact: true }).click();
    await settle();
    assert.equal(params().get("view"), "tree");
    const first = await page.locator(".virtual-table .body .row").first().innerText();
    await page.reload();
    await page.locator(".virtual-table .body .row").first().waitFor();
    await settle();
    assert.equal(await page.locator(".virtual-table .body .row").first().innerText(), first);
    await page.getByRole("link", { name: "Open in trace B" }).first().click();
    await page.locator(".tree-row.chosen").waitFor();
    await page.goto(`${origin}/search`);
    await page.getByRole("button", { name: "Keep to compare" }).first().click();
    await page.getByRole("button", { name: "Compare with the kept trace" }).nth(2).click();
    await page.locator(".compare-bar").waitFor();
  },

  async "two versions of an operation are compared, and a trace with its kind"({ page, origin, params, settle }) {
    await page.goto(`${origin}/compare`);
    await page.getByRole("link", { name: "Two cohorts" }).click();
    await page.getByRole("combobox", { name: "Service", exact: true }).selectOption("edge-proxy");
    await page.getByRole("combobox", { name: "Operation" }).selectOption("POST /checkout");
    await page.getByRole("combobox", { name: "Told apart by" }).selectOption("version");
    const rows = page.locator(".compare-page .virtual-table .body .row");
    await rows.first().waitFor();
    assert.deepEqual([params().get("x"), params().get("y")], ["version:2.4.0", "version:2.4.1"]);
    assert.match(await rows.first().innerText(), /POST \/checkout[^]*\+96 ms/);
    await page.getByRole("combobox", { name: "B", exact: true }).selectOption("2.4.0");
    await settle();
    assert.equal(params().get("y"), "version:2.4.0");
    await page.reload();
    await rows.first().waitFor();
    await page.getByRole("combobox", { name: "Told apart by" }).selectOption("time");
    await page.getByRole("heading", { name: /before 20/ }).waitFor();
    await page.goto(`${origin}/compare?a=${traceIdOf(1)}`);
    await page.getByRole("link", { name: "Compare with the median of its operation" }).click();
    await rows.first().waitFor();
    assert.equal(params().get("x"), `trace:${traceIdOf(1)}`);
  },
};
