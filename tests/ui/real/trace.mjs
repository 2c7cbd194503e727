// The timeline of traces whose faults are known: by the demo's truth, and by the answer keys of the data sets.
import assert from "node:assert/strict";

export const TRAIN = "38be6b17ea2e0c511dc26724f0960a88";

/** A loop of `RouteController.queryByIds` that asks the database once for each route, from the answer key. */
function routeLoop(file) {
  const groups = JSON.parse(file("nezha-trainticket/otlp.repeats.json.gz"));
  const group = groups.find((one) => one.parent.endsWith("RouteController.queryByIds") && one.child.endsWith("SELECT ts.route_stations"));
  return group.where[0];
}

const rowOf = (page, span) => page.locator(`.tree-row`, { hasText: span });

export const JOURNEYS = {
  async "the queries of a loop are one row each, and open"({ page, origin, params, settle, file, chosen = () => page.locator(".tree-row.chosen").getAttribute("id") }) {
    const { trace, count, spans } = routeLoop(file);
    await page.goto(`${origin}/trace/${trace}?find=SELECT+ts.route_`);
    await page.locator(".find output", { hasText: /\d/ }).waitFor();
    const all = Number((await page.locator(".find output").innerText()).replace(/.*\/\s*/, ""));
    await page.keyboard.press("Tab");
    await page.getByRole("button", { name: /^Next/ }).first().click();
    const run = rowOf(page, "SELECT ts.route_stations").filter({ has: page.locator(".fold.run") }).first();
    await run.waitFor();
    assert.match(await run.innerText(), new RegExp(`${count} ×`));
    const other = rowOf(page, "SELECT ts.route_distances").filter({ has: page.locator(".fold.run") }).first();
    assert.match(await other.innerText(), new RegExp(`${count} ×`));
    assert.ok(all >= 2 * count, `${all} found`);
    await run.locator(".label").click();
    await page.getByText(`${count} equal calls, one after another`).waitFor();
    const rows = rowOf(page, "SELECT ts.route_stations");
    const before = await rows.count();
    await run.locator(".fold.run").click();
    await settle();
    assert.equal(await rows.count(), before + count - 1);
    // A link to one of the calls opens the row that it is in.
    await page.goto(`${origin}/trace/${trace}?span=${spans[2]}`);
    await page.locator(".tree-row.chosen", { hasText: "SELECT ts.route_stations" }).waitFor();
    await page.locator(".span-panel", { hasText: spans[2] }).waitFor();
    const row = await chosen();
    await page.reload();
    await page.locator(".tree-row.chosen").waitFor();
    assert.equal(await chosen(), row);
    assert.equal(params().get("span"), spans[2]);
  },

  async "the N+1 of the demo is seen at a glance, in the findings and as a change that helps"({ page, origin, fault, settle, params, sql }) {
    const [id] = fault("n_plus_one_sql").example_traces;
    const [[calls]] = await sql(`SELECT count(*) FROM spans WHERE trace_id = '${id}' AND name = 'SELECT brands'`);
    await page.goto(`${origin}/trace/${id}`);
    const fold = page.locator(".tree-row", { hasText: "SELECT brands" });
    await fold.waitFor();
    assert.match(await fold.innerText(), new RegExp(`${calls} ×`));
    await page.getByRole("tab", { name: /^Findings/ }).click();
    await page.getByRole("button", { name: new RegExp(`calls .* SELECT brands ${calls} times one after another`) }).waitFor();
    await page.getByText("Ask for all items at once").waitFor();
    await page.getByRole("button", { name: "What if…" }).first().click();
    const headline = page.getByRole("region", { name: "What if" }).locator(".headline:not(.stale)");
    await headline.waitFor();
    const saved = Number(/saves .*, (\d+) %/.exec(await headline.innerText())?.[1]);
    assert.ok(saved >= 40 && saved <= 90, await headline.innerText());
    assert.match(await headline.innerText(), new RegExp(`${calls - 1} spans less`));
    const rows = page.getByRole("region", { name: "What if" }).locator(".virtual-table .body .row");
    assert.ok((await rows.allInnerTexts()).some((one) => one.includes("SELECT brands")), "the calls are in the new timeline");
    await settle();
    const shared = page.url();
    assert.match(params().get("change"), /^batch:/);
    await page.reload();
    await headline.waitFor();
    assert.equal(page.url(), shared);
    await page.getByRole("button", { name: `Show ${calls} spans in the timeline` }).click();
    await page.getByText(`${calls} spans marked:`).waitFor();
  },

  async "a clock that is ten seconds ahead is seen raw, aligned and explained"({ page, origin, clock, sql, settle, params, fact }) {
    const { service_instance_id: instance, host, offset_ns: offset } = clock("recommendation-2");
    const [[id]] = await sql(`SELECT trace_id FROM spans WHERE service_instance_id = '${instance}' ORDER BY start_time LIMIT 1`);
    await page.goto(`${origin}/trace/${id}?clock=raw`);
    await page.locator(".clock-note.wrong", { hasText: /arriving before/ }).or(page.locator(".trace-facts", { hasText: /Until the last span ends\s*\d+(\.\d+)? s/ })).first().waitFor();
    assert.match(await page.locator(".trace-facts").innerText(), /Until the last span ends\s*(9|10|11)(\.\d+)? s/);
    await page.getByRole("group", { name: "Clock" }).getByRole("button", { name: "Aligned" }).click();
    const note = page.locator(".clock-note");
    await note.getByText("recommendation on").waitFor();
    assert.match(await note.innerText(), new RegExp(`the clock of recommendation on ${host} is ${offset > 0 ? "ahead" : "behind"}`));
    const most = /by up to ([\d.]+) s/.exec(await note.innerText());
    assert.ok(Math.abs(Number(most?.[1]) * 1e9 - offset) < 0.2e9, await note.innerText());
    assert.match(await fact("Duration"), /ms$/);
    await page.locator(".tree-row").filter({ has: page.locator(".service", { hasText: /^recommendation$/ }) }).first().locator(".label").click();
    await page.locator(".clock-facts", { hasText: host }).waitFor();
    await page.getByRole("group", { name: "Clock" }).getByRole("button", { name: "Causal" }).click();
    await page.getByText(/One step per start and end/).waitFor();
    await settle();
    assert.equal(params().get("clock"), "causal");
    await page.reload();
    await page.getByText(/One step per start and end/).waitFor();
    await page.getByRole("link", { name: "About this clock" }).click();
    const row = page.locator(".clock-row", { hasText: host });
    await row.first().waitFor();
    assert.match(await row.first().innerText(), /\+10 s\s*ahead/);
  },

  async "a deep trace of a real system is read by keyboard, search and critical path"({ page, origin, fact, settle, params }) {
    await page.goto(`${origin}/trace/${TRAIN}`);
    await page.locator(".tree-row").first().waitFor();
    assert.deepEqual([await fact("Spans"), await fact("Services"), await fact("Depth")], ["76", "10", "13"]);
    const rows = page.locator(".tree-row");
    for (const key of ["ArrowDown", "ArrowDown", "ArrowLeft"]) await page.keyboard.press(key);
    await settle();
    await page.keyboard.press("2");
    await settle();
    assert.equal(params().get("level"), "1");
    assert.ok(await rows.count() < 10, `${await rows.count()} rows`);
    await page.keyboard.press("]");
    await page.keyboard.press("/");
    await page.keyboard.type("service:ts-seat-service");
    await page.locator(".find output", { hasText: "8" }).waitFor();
    await page.keyboard.press("Enter");
    await settle();
    assert.match(await page.locator(".tree-row.chosen").innerText(), /ts-seat-service/);
    await page.keyboard.press("Tab");
    await page.getByRole("tab", { name: "Critical path" }).click();
    const first = page.locator(".path-tab .virtual-table .body .row").first();
    await first.waitFor();
    assert.match(await page.locator(".path-tab .summary").innerText(), /^148 ms in \d+ segments$/);
    const shares = await page.locator(".path-tab .virtual-table .body .row").evaluateAll((all) => all.map((one) => Number(/([\d.]+) %/.exec(one.innerText)?.[1])));
    assert.ok(shares.every((one, i) => i === 0 || one <= shares[i - 1]), String(shares));
    await page.getByLabel("Add up by").selectOption("service");
    await settle();
    await page.reload();
    await first.waitFor();
    assert.equal(params().get("group"), "service");
  },

  async "colours tell services apart, also with reduced motion"({ origin, open, browser }) {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: "reduce" });
    const page = await open(context);
    await page.goto(`${origin}/trace/${TRAIN}`);
    await page.locator(".tree-row").first().waitFor();
    await page.waitForFunction(() => {
      const colours = new Set();
      for (const canvas of document.querySelectorAll(".bars canvas, .timeline canvas")) {
        const { width, height } = canvas;
        if (width === 0 || height === 0) continue;
        const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
        for (let at = 0; at < data.length; at += 64) if (data[at + 3] === 255) colours.add(`${data[at] >> 4} ${data[at + 1] >> 4} ${data[at + 2] >> 4}`);
      }
      return colours.size >= 5;
    });
    await context.close();
  },
};
