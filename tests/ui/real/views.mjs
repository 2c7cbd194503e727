// The other views of a trace: flame graph, statistics, spans, call graph; each against what SQL says of the same trace.
import assert from "node:assert/strict";
import { TRAIN } from "./trace.mjs";

export const JOURNEYS = {
  async "statistics and spans agree with SQL, and lead to the timeline"({ page, origin, settle, params, sql }) {
    const groups = await sql(`SELECT service_name, count(*) FROM spans WHERE trace_id = '${TRAIN}' GROUP BY 1 ORDER BY 2 DESC, 1`);
    await page.goto(`${origin}/trace/${TRAIN}?view=statistics&group=service&sort=-count`);
    const rows = page.locator(".virtual-table .body .row");
    await page.locator(".tab-bar", { hasText: `${groups.length} groups, 76 spans` }).waitFor();
    const shown = await rows.evaluateAll((all) => all.map((one) => /^(\S+)\s+(\d+)/.exec(one.innerText)?.slice(1)));
    assert.deepEqual(shown.map(([service, count]) => [service, Number(count)]).sort(), groups.map(([service, count]) => [service, count]).sort());
    await rows.filter({ hasText: "ts-route-service" }).click();
    await page.locator(".tree-row.match").first().waitFor();
    assert.equal(params().get("find"), "service=ts-route-service");
    await page.locator(".find output", { hasText: String(groups.find(([name]) => name === "ts-route-service")[1]) }).waitFor();
    const [[longest]] = await sql(`SELECT name FROM spans WHERE trace_id = '${TRAIN}' AND service_name = 'ts-route-service' ORDER BY duration_ns DESC LIMIT 1`);
    await page.goto(`${origin}/trace/${TRAIN}?view=spans&sort=-duration&find=${encodeURIComponent("service=ts-route-service")}`);
    await page.locator(".tab-bar", { hasText: "15 of 76 spans" }).waitFor();
    assert.ok((await rows.first().innerText()).includes(longest), await rows.first().innerText());
    await page.locator(".virtual-table").focus();
    for (const key of ["ArrowDown", "Enter"]) await page.keyboard.press(key);
    await page.locator(".span-panel").waitFor();
    await settle();
    const span = params().get("span");
    await page.reload();
    await page.locator(".virtual-table .row.chosen").waitFor();
    assert.equal(params().get("span"), span);
  },

  async "the flame graph and the call graph have all of the trace"({ page, origin, settle, params, sql }) {
    await page.goto(`${origin}/trace/${TRAIN}?view=flame`);
    await page.locator(".flame-detail", { hasText: "76 spans" }).waitFor();
    await page.locator(".flame").focus();
    for (const key of ["ArrowDown", "ArrowDown", "Enter"]) await page.keyboard.press(key);
    await settle();
    const detail = await page.locator(".flame-detail").innerText();
    assert.match(detail, /ts-gateway-service/);
    await page.reload();
    await page.locator(".flame-detail b").waitFor();
    assert.equal(await page.locator(".flame-detail").innerText(), detail);
    const calls = await sql(`SELECT DISTINCT a.service_name, b.service_name FROM spans a JOIN spans b ON a.trace_id = b.trace_id AND b.parent_span_id = a.span_id WHERE a.trace_id = '${TRAIN}' AND a.service_name <> b.service_name`);
    await page.goto(`${origin}/trace/${TRAIN}?view=graph`);
    await page.getByText(`10 boxes, ${calls.length} arrows`).waitFor();
    const box = page.getByRole("button", { name: /^ts-route-service 15 spans/ });
    await box.focus();
    await page.keyboard.press("Enter");
    await page.locator(".tree-row.match").first().waitFor();
    assert.equal(params().get("find"), "service=ts-route-service");
  },

  async "what is odd about a real trace is shown"({ page, origin, fact }) {
    // Uploaded from Zipkin's own file: span ids that two halves of a call share, consumers after their producers.
    await page.goto(`${origin}/trace/8ce82b2e9ed820ba`);
    await page.locator(".tree-row").first().waitFor();
    assert.equal(await fact("Spans"), "175");
    assert.equal(await fact("Errors"), "2");
    assert.match(await fact("Until the last span ends"), /^1 m 4\d s$/);
    await page.getByRole("button", { name: "Next error" }).click();
    await page.locator(".tree-row.chosen").getByRole("img", { name: "error" }).waitFor();
  },
};
