// Services: list, map, pages of a service and an operation.
import assert from "node:assert/strict";

export const JOURNEYS = {
  async "a service is found on the list and the map, and leads to a trace"({ page, origin, params, settle }) {
    await page.goto(`${origin}/search`);
    await page.getByRole("link", { name: "Services", exact: true }).click();
    const rows = page.locator(".red-table .body .row");
    await rows.first().waitFor();
    await page.getByRole("columnheader", { name: "p99" }).getByRole("button").click();
    await settle();
    assert.equal(params().get("sort"), "-p99");
    await page.getByLabel("Filter by name").fill("check");
    await settle();
    assert.equal(await rows.count(), 1);
    await page.reload();
    await rows.first().waitFor();
    assert.equal(await rows.count(), 1);
    await page.getByLabel("Time").selectOption("-168h");
    await page.getByText("from a sample of 4.3 % of the traces").waitFor();
    await page.getByLabel("Filter by name").fill("");
    await page.getByRole("link", { name: "Map", exact: true }).click();
    const placeOf = (name) => page.locator(".call-graph .box", { hasText: name }).getAttribute("transform");
    await page.locator(".call-graph .box").first().waitFor();
    const places = [await placeOf("checkout"), await placeOf("redis")];
    await page.reload();
    await page.locator(".call-graph .box").first().waitFor();
    assert.deepEqual([await placeOf("checkout"), await placeOf("redis")], places);
    await page.locator(".call-graph .box", { hasText: "checkout" }).focus();
    await page.locator(".graph-detail", { hasText: "checkout:" }).waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "checkout", level: 1 }).waitFor();
    assert.equal(page.url(), `${origin}/services/checkout?start=-168h`);
    await page.getByRole("link", { name: "POST /checkout", exact: true }).click();
    await page.getByRole("heading", { name: "POST /checkout", level: 1 }).waitFor();
    assert.equal(new URL(page.url()).pathname, "/services/checkout/POST%20%2Fcheckout");
    await page.locator(".exemplars a").first().waitFor();
    const mark = page.locator(".line-chart .link").nth(1);
    await mark.focus();
    await page.keyboard.press("Enter");
    await page.locator(".trace-page .span-panel").waitFor();
    await page.goBack();
    await page.getByRole("navigation", { name: "Above this page" }).getByRole("link", { name: "Services" }).click();
    await rows.first().waitFor();
  },
};
