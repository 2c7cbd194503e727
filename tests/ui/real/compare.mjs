// Two traces, a trace against its kind, and two cohorts.
import assert from "node:assert/strict";
import { TRAIN } from "./trace.mjs";

const seconds = (text) => {
  const [, value, unit] = /([\d.]+) (µs|ms|s)/.exec(text) ?? [];
  return Number(value) * { "µs": 1e-6, ms: 1e-3, s: 1 }[unit];
};

export const JOURNEYS = {
  async "what makes one trace slower than another comes first"({ page, origin, fault, sql, settle }) {
    const { operation } = fault("n_plus_one_sql");
    const both = await sql(`SELECT trace_id, span_count, duration_ns FROM traces WHERE root_service = 'storefront' AND root_name = '${operation}' ORDER BY span_count LIMIT 100`);
    const [few, many] = [both[0], both.at(-1)];
    assert.ok(many[1] > few[1]);
    await page.goto(`${origin}/compare?a=${few[0]}&b=${many[0]}`);
    await page.locator(".compare-bar .headline").waitFor();
    const calls = async (id) => (await sql(`SELECT count(*) FROM spans WHERE trace_id = '${id}' AND name = 'SELECT brands'`))[0][0];
    const [before, after] = [await calls(few[0]), await calls(many[0])];
    await page.locator(".compare-bar .headline", { hasText: `(${before} → ${after} calls)` }).waitFor();
    assert.match(await page.locator(".compare-bar .headline").innerText(), /SELECT brands/);
    await page.getByRole("button", { name: "Swap A and B" }).click();
    await page.locator(".compare-bar .headline", { hasText: `(${after} → ${before} calls)` }).waitFor();
    await page.getByRole("button", { name: "Tree", exact: true }).click();
    await settle();
    assert.match(await page.locator(".virtual-table .body .row").first().innerText(), new RegExp(operation.replace(/[{}/]/g, "\\$&")));
  },

  async "a trace is compared with its kind, and two halves of a time"({ page, origin, params, settle }) {
    await page.goto(`${origin}/compare?a=${TRAIN}`);
    await page.getByRole("link", { name: "Compare with the median of its operation" }).click();
    const rows = page.locator(".compare-page .virtual-table .body .row");
    await rows.first().waitFor();
    assert.equal(params().get("x"), `trace:${TRAIN}`);
    const own = page.getByRole("region", { name: "Cohort A" });
    assert.match(await own.innerText(), /Traces\s*1\b/);
    assert.ok(Math.abs(seconds(await own.innerText()) - 0.148) < 0.002, await own.innerText());
    // The middle of the traces of 2022-06-20.
    const moment = "2022-06-20T21:26:19.000Z";
    const query = new URLSearchParams({ view: "cohorts", service: "frontend", operation: "HTTP GET /hotels", x: `before:${moment}`, y: `after:${moment}` });
    await page.goto(`${origin}/compare?${query}`);
    await rows.first().waitFor();
    await settle();
    const counts = await page.locator(".side dl").evaluateAll((all) => all.map((one) => Number(/Traces\S*[^\d]*(\d+)/.exec(one.innerText)?.[1])));
    assert.ok(counts.every((one) => one > 0 && one <= 500), String(counts));
  },
};
