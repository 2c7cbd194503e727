// Findings of all traces: the demo's faults by its truth, a loop of a real system by its answer key.
import assert from "node:assert/strict";

/** Faults whose finding names the operation that the trace begins with. */
const FOUND = ["n_plus_one_sql", "n_plus_one_http", "fan_out", "sequential_calls", "retry_without_backoff", "work_after_giving_up", "ambiguous_outcome", "error_origin", "large_payload", "plaintext_call", "secret_in_url"];

export const JOURNEYS = {
  async "each fault of the demo is a group at the operation that has it"({ page, origin, fault, settle }) {
    await page.goto(`${origin}/findings?service=storefront`);
    await page.locator(".group-row").first().waitFor();
    for (let more = page.getByRole("button", { name: /^Show \d+ more$/ }); await more.count() > 0;) await more.click();
    const groups = (await page.locator(".group-row").allInnerTexts()).map((text) => text.replace(/\s+/g, " "));
    const label = await page.getByLabel("Detector").locator("option").evaluateAll((all) => Object.fromEntries(all.map((one) => [one.value, one.innerText])));
    for (const name of FOUND) {
      const { detector, operation, traces_so_far: traces } = fault(name);
      const own = groups.filter((text) => text.includes(label[detector]) && text.includes(`entered at storefront ${operation}`));
      assert.ok(own.length > 0, `${name}: no ${label[detector]} at ${operation}`);
      // Some are told apart by what fails or leaks; together they are in all of the traces.
      const counts = own.map((text) => Number(/in (\d+) traces?/.exec(text)?.[1]));
      assert.ok(counts.includes(traces) || counts.reduce((sum, one) => sum + one, 0) === traces, `${name}: in ${traces} traces, not ${own.join("\n")}`);
    }
    await page.getByRole("link", { name: /^Latency is zero/ }).click();
    await settle();
    for (const text of await page.locator(".group-row .facts").allInnerTexts()) assert.match(text, /Latency is zero/);
  },

  async "a loop of a real system is explained, and its examples open at the spans"({ page, origin, file, params, settle }) {
    const key = JSON.parse(file("nezha-trainticket/otlp.repeats.json.gz"));
    const loop = key.find((one) => one.parent.endsWith("RouteController.queryByIds") && one.child.endsWith("SELECT ts.route_stations"));
    await page.goto(`${origin}/findings?service=ts-gateway-service&detector=n_plus_one`);
    const row = page.locator(".group-row", { hasText: `calls SELECT ts.route_stations 5 times one after another` });
    await row.waitFor();
    const traces = Number(/in (\d+) traces/.exec(await row.innerText())?.[1]);
    // The rule leaves out two of them.
    assert.ok(traces <= loop.traces && traces >= loop.traces - 2, `${traces} traces, the answer key has ${loop.traces}`);
    await row.getByRole("button", { name: "Why, and what to do" }).click();
    await row.getByText("Ask for all items at once").waitFor();
    const example = row.getByRole("group", { name: "Example traces" }).getByRole("link").first();
    const id = /trace\/([0-9a-f]{32})/.exec(await example.getAttribute("href"))[1];
    const known = loop.where.filter((one) => one.trace === id).flatMap((one) => one.spans);
    assert.ok(known.length > 0, `${id} is in the answer key`);
    await example.click();
    await page.getByText(/\d+ spans marked:/).waitFor();
    await settle();
    assert.ok(known.includes(params().get("span")), `${params().get("span")} is one of ${known}`);
    await page.locator(".tree-row.chosen", { hasText: "SELECT ts.route_stations" }).waitFor();
  },

  async "a group is acknowledged, resolved and opened again"({ page, origin, fault }) {
    const { operation, traces_so_far: traces } = fault("n_plus_one_sql");
    await page.goto(`${origin}/findings?service=storefront&detector=n_plus_one`);
    await page.locator(".group-row", { hasText: `entered at storefront ${operation}` }).getByRole("link", { name: /SELECT brands/ }).click();
    await page.getByRole("heading", { name: "Where it was seen" }).waitFor();
    assert.equal(await page.locator(".where .virtual-table").getAttribute("aria-rowcount"), String(traces + 1));
    const versions = page.locator(".versions");
    assert.match(await versions.innerText(), new RegExp(`4\\.3\\.2\\s+${traces}`));
    const state = page.getByRole("region", { name: "State" });
    await state.getByRole("button", { name: "Acknowledge" }).click();
    await state.getByLabel("Note").fill("known");
    await page.keyboard.press("Enter");
    await state.getByText("Somebody took note of it").waitFor();
    await page.reload();
    await state.getByText("known").waitFor();
    await state.getByRole("button", { name: "Resolve" }).click();
    await state.getByLabel("In version").fill("9.9.9");
    await state.getByRole("button", { name: "It is resolved" }).click();
    await state.getByText("Resolved in version 9.9.9").waitFor();
    const group = page.url();
    await page.goto(`${origin}/findings?state=resolved`);
    await page.locator(".group-row").waitFor();
    await page.goto(group);
    await state.getByRole("button", { name: "Open again" }).click();
    await state.getByText("Nobody has decided about it.").waitFor();
    await page.getByRole("link", { name: "Search these traces" }).click();
    await page.locator(".total", { hasText: `${traces} traces` }).waitFor();
  },
};
