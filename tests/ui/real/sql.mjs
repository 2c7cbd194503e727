// The SQL console on real data.
import assert from "node:assert/strict";

export const JOURNEYS = {
  async "every question of the console has an answer"({ page, origin }) {
    await page.goto(`${origin}/sql`);
    const questions = page.locator(".questions button");
    await questions.first().waitFor();
    const titles = await questions.allInnerTexts();
    for (const title of titles) {
      await page.getByRole("button", { name: title, exact: true }).click();
      await page.locator(".sql-actions .state", { hasText: /^[\d,]+ rows?/ }).waitFor();
      await page.locator(".sql-results :is(.row, svg, .bars)").first().or(page.getByRole("heading", { name: "No rows" })).first().waitFor();
    }
    assert.ok(titles.length >= 8);
  },

  async "rows, chart, plan and links"({ page, origin, settle, params, sql, forgive }) {
    const statement = "SELECT trace_id, root_service, span_count FROM traces WHERE root_service = 'ts-gateway-service' ORDER BY span_count DESC, trace_id LIMIT 50";
    await page.goto(`${origin}/sql`);
    await page.getByLabel("SQL statement").fill(statement);
    await page.keyboard.press("Control+Enter");
    const rows = page.locator(".virtual-table .body .row");
    await rows.first().waitFor();
    const [[id, service, spans]] = await sql(statement);
    assert.deepEqual((await rows.first().innerText()).split(/\s+/), [id, service, String(spans)]);
    assert.equal(spans, 200);
    await page.getByRole("button", { name: "Copy rows as JSON" }).click();
    await settle();
    assert.equal(JSON.parse(await page.evaluate(() => navigator.clipboard.readText())).length, 50);
    await page.getByRole("button", { name: "Explain" }).click();
    await page.locator(".sql-plan pre").first().waitFor();
    assert.match(await page.locator(".sql-plan").innerText(), /traces|ts-gateway-service/);
    await page.goBack();
    await rows.first().waitFor();
    await rows.first().getByRole("link").click();
    await page.locator(".trace-page").waitFor();
    assert.ok(page.url().endsWith(`/trace/${id}`));
    await page.goto(`${origin}/sql?view=chart&q=${encodeURIComponent("SELECT service_name, count(*) AS spans FROM spans WHERE service_name LIKE 'ts-%' GROUP BY 1")}`);
    await page.locator(".charts").waitFor();
    assert.match(await page.locator(".charts").innerText(), /ts-route-service/);
    await page.goto(`${origin}/sql?q=${encodeURIComponent("SELEKT 1")}`);
    await page.getByText(/Expected: an SQL statement|sql parser/i).first().waitFor();
    forgive(400);
    assert.equal(params().get("q"), "SELEKT 1");
  },
};
