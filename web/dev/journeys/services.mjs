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
    const chart = page.getByRole("application", { name: /^Rate over time/ });
    const box = await chart.boundingBox();
    await page.mouse.move(box.x + 200, box.y + 80);
    await page.mouse.down();
    await page.mouse.move(box.x + 300, box.y + 90, { steps: 4 });
    await page.mouse.up();
    await settle();
    const [from, to] = ["start", "end"].map((key) => Date.parse(params().get(key)));
    assert.ok(to > from && to - from < 168 * 3_600_000 * 0.4, String(params()));
    const time = await page.getByLabel("Time", { exact: true }).innerText();
    await chart.focus();
    for (const key of ["Home", "ArrowRight", "Shift+ArrowRight", "Shift+ArrowRight", "Shift+ArrowRight"]) await page.keyboard.press(key);
    await page.locator(".lines .chosen").waitFor();
    await page.keyboard.press("Enter");
    await settle();
    const narrower = page.url();
    assert.ok(Date.parse(params().get("end")) - Date.parse(params().get("start")) < to - from);
    await page.reload();
    await chart.waitFor();
    assert.equal(page.url(), narrower);
    await page.goBack();
    await settle();
    assert.equal(await page.getByLabel("Time", { exact: true }).innerText(), time);
    await page.goBack();
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

  async "the map is a column on a narrow screen"({ page, origin }) {
    await page.setViewportSize({ width: 360, height: 740 });
    await page.goto(`${origin}/services?view=map`);
    const boxes = page.locator(".call-graph .box");
    await boxes.nth(5).waitFor();
    const widths = await page.evaluate(() => [".graph-scroll", "html"].map((name) => document.querySelector(name)).map((one) => one.scrollWidth - one.clientWidth));
    assert.deepEqual(widths, [0, 0]);
    const lefts = await boxes.evaluateAll((all) => all.map((one) => Math.round(one.getBoundingClientRect().left)));
    assert.equal(new Set(lefts).size, 1);
    await boxes.nth(3).dispatchEvent("pointerdown", { pointerType: "touch", bubbles: true });
    await boxes.nth(3).dispatchEvent("click");
    await page.locator(".graph-detail.near").waitFor();
    assert.match(page.url(), /view=map/);
    await boxes.nth(3).dispatchEvent("pointerdown", { pointerType: "touch", bubbles: true });
    await boxes.nth(3).dispatchEvent("click");
    await page.locator(".red-facts").waitFor();
    await page.setViewportSize({ width: 1440, height: 900 });
  },
};
