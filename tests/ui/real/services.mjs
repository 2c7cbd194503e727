// Services: rates, the map, one service, one operation and its slowest traces.
import assert from "node:assert/strict";
import { numberIn } from "../stage.mjs";

export const JOURNEYS = {
  async "the services of the demo are listed, drawn and lead to a slow trace"({ page, origin, truth, fault, params, settle, sql }) {
    await page.goto(`${origin}/services`);
    const rows = page.locator(".red-table .body .row");
    await rows.first().waitFor();
    const services = new Set(truth.clocks.map((one) => one.service));
    const listed = (await rows.locator("a").allInnerTexts()).map((one) => one.trim());
    assert.deepEqual([...services].filter((one) => !listed.includes(one)), [], "every service of the demo is there");
    await page.getByRole("columnheader", { name: "Errors" }).getByRole("button").click();
    await settle();
    assert.equal(params().get("sort"), "-errors");
    await page.getByLabel("Filter by name").fill("inventory");
    await settle();
    assert.equal(await rows.count(), 1);
    const asked = numberIn(await rows.first().locator("[title]").first().getAttribute("title"));
    const [[requests]] = await sql("SELECT count(*) FROM spans WHERE service_name = 'inventory' AND kind = 2");
    assert.equal(asked, requests, "as many requests as SQL counts");
    await page.getByLabel("Filter by name").fill("");
    await page.getByRole("link", { name: "Map", exact: true }).click();
    const boxes = page.locator(".call-graph .box");
    await boxes.nth(services.size - 1).waitFor();
    const box = page.getByRole("button", { name: /^gateway / });
    const place = await box.getAttribute("transform");
    await page.reload();
    await boxes.nth(services.size - 1).waitFor();
    assert.equal(await box.getAttribute("transform"), place, "the map looks the same at each visit");
    await box.focus();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "gateway", level: 1 }).waitFor();
    const { operation, traces_so_far: calls } = fault("n_plus_one_http");
    await page.locator(".service-findings", { hasText: "times one after another" }).waitFor();
    await page.getByRole("link", { name: operation, exact: true }).click();
    await page.getByRole("heading", { name: operation, level: 1 }).waitFor();
    const slowest = page.locator(".exemplars a").first();
    await slowest.waitFor();
    const [[longest]] = await sql(`SELECT max(duration_ns) FROM spans WHERE service_name = 'gateway' AND name = '${operation}' AND kind = 2`);
    assert.equal(Math.round(Number.parseFloat(await slowest.locator("b").innerText())), Math.round(longest / 1e6), "in milliseconds");
    assert.ok(calls > 0);
    const mark = page.locator(".line-chart .link").first();
    await mark.focus();
    await page.keyboard.press("Enter");
    await page.locator(".trace-page .span-panel", { hasText: operation }).waitFor();
  },

  async "the services of a real system are drawn in their time"({ page, origin }) {
    const time = "start=2023-01-29T08:00:00Z&end=2023-01-29T10:00:00Z";
    await page.goto(`${origin}/services?view=map&${time}`);
    await page.locator(".call-graph .box").nth(27).waitFor();
    assert.equal(await page.locator(".call-graph .box").count(), 28);
    await page.goto(`${origin}/services/ts-gateway-service?${time}`);
    await page.getByRole("heading", { name: "Calls 1", exact: false }).or(page.getByRole("heading", { name: /^Calls/ })).first().waitFor();
    await page.goto(`${origin}/services/nobody`);
    await page.getByRole("link", { name: "Look at the last 7 days" }).waitFor();
  },
};
