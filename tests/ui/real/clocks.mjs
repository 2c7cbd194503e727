// Clocks: those of the demo are off by known amounts; those of a real system are told in their own time.
import assert from "node:assert/strict";

/** Steady clocks that are far off, by instance; not those whose stamps cannot be believed. */
const FAR = ["recommendation-2", "inventory-2", "payment-1", "cart-1", "checkout-1"];
/** What the page may be off by: the estimate, its rounding, and the offset of the clock of reference. */
const SLACK_NS = 8e6;

const UNITS = { ns: 1, "µs": 1e3, ms: 1e6, s: 1e9 };
const nanoseconds = (text) => {
  const [, sign, value, unit] = /([+−])([\d.]+) (ns|µs|ms|s)/.exec(text) ?? [];
  return (sign === "−" ? -1 : 1) * Number(value) * UNITS[unit];
};

export const JOURNEYS = {
  async "clocks that are off are shown as off, by as much and in the right direction"({ page, origin, clock, truth, settle, params }) {
    await page.goto(`${origin}/clocks`);
    await page.locator(".clock-row .badges").first().waitFor();
    const rows = await page.locator(".clocks section, .clocks-page section").evaluateAll((all) => all.flatMap((section) => [...section.querySelectorAll(".clock-row")].map((row) => ({ service: section.getAttribute("aria-label"), text: row.innerText }))));
    const named = new Set();
    for (const name of FAR) {
      const { service, host, offset_ns: offset } = clock(name);
      const own = rows.find((one) => one.service === service && one.text.includes(host));
      assert.ok(own, `${name}: no clock of ${service} on ${host}`);
      assert.ok(Math.abs(nanoseconds(own.text) - offset) < SLACK_NS, `${name} is off by ${offset} ns, not ${own.text}`);
      assert.match(own.text, offset > 0 ? /ahead/ : /behind/, name);
      assert.match(own.text, /far off/, name);
      named.add(`${service} ${host}`);
    }
    // Healthy clocks are not accused.
    for (const one of truth.clocks.filter((one) => one.step_ns === 0 && Math.abs(one.offset_ns) < 1e6 && !named.has(`${one.service} ${one.host}`))) {
      const own = rows.find((row) => row.service === one.service && row.text.includes(one.host));
      if (own !== undefined) assert.doesNotMatch(own.text, /far off/, one.instance);
    }
    const drifting = clock("checkout-2");
    assert.match(rows.find((one) => one.service === "checkout" && one.text.includes(drifting.host)).text, /drifting \d+ ppm/);
    const coarse = clock("user-2");
    assert.match(rows.find((one) => one.service === "user" && one.text.includes(coarse.host)).text, /coarse 1 ms/);

    const { service, host } = clock("inventory-2");
    await page.getByLabel("Filter clocks").fill(`${service} ${host}`);
    await settle();
    assert.equal(await page.locator(".clock-row").count(), 1);
    await page.getByText("What to do:").first().waitFor();
    await page.getByRole("button", { name: "Tell all offsets against this clock" }).click();
    await page.getByLabel("Filter clocks").fill("");
    await settle();
    assert.match(params().get("reference"), /^node-/);
    await page.locator(".clock-row", { hasText: "reference" }).first().waitFor();
    const healthy = page.locator("section[aria-label=catalogue] .clock-row").first();
    assert.match(await healthy.innerText(), /−2\.3 s\s*behind/);
  },

  async "pairs that exchanged messages are known both ways"({ page, origin, clock }) {
    await page.goto(`${origin}/clocks?view=pairs`);
    await page.locator(".pairs td.pair").first().waitFor();
    const { service, host } = clock("cart-1");
    assert.ok(await page.locator(".pairs tr", { hasText: `${service} on ${host}` }).locator("td.pair[data-state=two-sided]").count() > 0);
    await page.getByRole("link", { name: "What it means" }).click();
    await page.locator(".clock-help dt").first().waitFor();
  },

  async "an old trace leads to the clocks of its time"({ page, origin, sql, settle, params }) {
    const [[id]] = await sql("SELECT trace_id FROM spans WHERE service_name = 'reservation' ORDER BY start_time LIMIT 1");
    await page.goto(`${origin}/trace/${id}`);
    await page.locator(".tree-row").filter({ has: page.locator(".service", { hasText: /^reservation$/ }) }).first().locator(".label").click();
    await page.getByRole("link", { name: "About this clock" }).click();
    await page.locator(".clock-row").first().waitFor();
    assert.equal(await page.locator(".clock-row").count(), 1);
    assert.ok(params().has("start") && params().has("end"));
    await page.getByLabel("Filter clocks").fill("");
    await settle();
    // Without stamps a call bounds its callee's clock from one side, and nothing more is claimed.
    assert.equal(await page.locator(".clock-row").count(), 6);
    const reference = await page.getByLabel("Reference").evaluate((one) => one.selectedOptions[0].innerText);
    assert.match(reference, /^Against (frontend|profile|search|reservation|rate|geo)/);
    for (const row of await page.locator(".clock-row").allInnerTexts()) assert.match(row, /reference|one-sided 100 %/);
    await page.reload();
    await page.locator(".clock-row").nth(5).waitFor();
  },
};
