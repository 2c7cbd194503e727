// The SQL console.
import assert from "node:assert/strict";

export const JOURNEYS = {
  async "a question is written with suggestions, run, drawn, shared and cancelled"({ page, origin, params, settle, complaints }) {
    await page.goto(origin);
    await page.getByRole("link", { name: "SQL" }).click();
    await page.getByRole("button", { name: "How does the load change over time?" }).click();
    await page.locator(".charts svg.lines").first().waitFor();
    assert.equal(params().get("view"), "chart");
    const area = page.getByLabel("SQL statement");
    await area.fill("");
    await area.pressSequentially("SELECT tra");
    await page.locator(".suggestions li", { hasText: "trace_id" }).first().waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("Backspace");
    await page.keyboard.press("Backspace");
    await page.keyboard.press("Backspace");
    await area.pressSequentially("* FROM trac");
    await page.locator(".suggestions li", { hasText: "traces" }).first().waitFor();
    await page.keyboard.press("Tab");
    await settle();
    assert.equal(await area.inputValue(), "SELECT * FROM traces");
    await page.keyboard.press("Control+Enter");
    await page.getByRole("button", { name: "Table", exact: true }).click();
    await page.locator(".virtual-table .body .row").first().waitFor();
    assert.match(page.url(), /\/sql\?q=SELECT\+\*\+FROM\+traces$/);
    await page.getByRole("button", { name: "duration_ns" }).click();
    await settle();
    assert.equal(params().get("sort"), "-4");
    assert.match(await page.locator(".virtual-table .body .row").first().innerText(), /5 m 10 s/);
    await page.getByRole("button", { name: "Copy rows as CSV" }).click();
    await settle();
    assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^trace_id,root_service,/);
    await page.reload();
    await page.locator(".virtual-table .body .row").first().waitFor();
    assert.match(await page.locator(".virtual-table .body .row").first().innerText(), /5 m 10 s/);
    await page.getByRole("tab", { name: "History" }).click();
    await settle();
    assert.match(await page.locator(".questions").innerText(), /SELECT \* FROM traces/);
    await page.locator(".virtual-table .body .row").nth(1).locator("div").nth(2).click();
    await page.getByRole("dialog").getByText("root_name").waitFor();
    await page.keyboard.press("Escape");
    await page.locator(".virtual-table .body a").first().click();
    await page.locator(".trace-page").waitFor();
    await page.goBack();
    await page.locator(".virtual-table .body .row").first().waitFor();

    await area.fill("SELEKT 1");
    await page.keyboard.press("Control+Enter");
    await page.getByText("Expected: an SQL statement").waitFor();
    complaints.splice(0, complaints.length, ...complaints.filter((one) => !one.includes("400")));
    await fetch(`${origin}/mock?slow=3000`);
    await area.fill("SELECT 1");
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByRole("heading", { name: "Cancelled" }).waitFor();
    await fetch(`${origin}/mock?slow=0`);
  },
};
