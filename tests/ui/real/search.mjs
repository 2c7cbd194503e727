// The search page, on the demo and on traces of real systems.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { numberIn } from "../stage.mjs";

/** Traces of the data sets, see their READMEs. */
const HOTEL_TRACES = 1000;
const TRAIN_TRACES = 630;

const total = async (page) => numberIn(await page.locator(".total").innerText());
const upload = (page, name, buffer) => page.getByLabel("File of spans", { exact: true }).setInputFiles({ name, mimeType: "application/json", buffer });

const NOW_TRACE = "0".repeat(24) + "11feed11";

/** Jaeger's JSON of one trace, as another one that began a moment ago. */
function asOfNow(json) {
  const [trace] = json.data ?? [json];
  const micros = (Date.now() - 2_000) * 1000 - Math.min(...trace.spans.map((one) => one.startTime));
  for (const span of trace.spans) {
    [span.traceID, span.startTime] = [NOW_TRACE, span.startTime + micros];
    for (const log of span.logs ?? []) log.timestamp += micros;
    for (const reference of span.references ?? []) reference.traceID = NOW_TRACE;
  }
  return { data: [{ ...trace, traceID: NOW_TRACE }] };
}

export const JOURNEYS = {
  async "the form finds as many traces as the data sets have"({ page, origin, params, settle, sql }) {
    await page.goto(origin);
    const service = page.getByLabel("Service", { exact: true });
    await service.selectOption("ts-gateway-service");
    await settle();
    assert.equal(await total(page), TRAIN_TRACES);
    await page.getByLabel("Order").selectOption("slowest");
    await settle();
    assert.match(await page.locator(".result-row .duration").first().innerText(), /^2\.58 s$/);
    await page.getByLabel("Order").selectOption("most_spans");
    await settle();
    assert.match(await page.locator(".result-row .counts").first().innerText(), /^200 spans/);
    await page.getByLabel("Shortest duration").fill("1s");
    await page.keyboard.press("Enter");
    await settle();
    const [[long]] = await sql("SELECT count(*) FROM traces WHERE root_service = 'ts-gateway-service' AND duration_ns >= 1000000000");
    assert.ok(long > 0);
    assert.equal(await total(page), long);
    assert.equal(String(params()), "service=ts-gateway-service&min_duration=1s&order=most_spans");
    await page.getByRole("button", { name: "Clear", exact: true }).click();
    await service.selectOption("frontend");
    await settle();
    await page.getByLabel("Operation", { exact: true }).selectOption("HTTP GET /hotels");
    await settle();
    assert.equal(await total(page), HOTEL_TRACES);
    await page.reload();
    await page.locator(".result-row").first().waitFor();
    assert.equal(await total(page), HOTEL_TRACES);
  },

  async "terms narrow, are completed from real values, and pages turn"({ page, origin, params, settle, sql }) {
    await page.goto(`${origin}/search?limit=20`);
    await page.locator(".result-row").first().waitFor();
    const box = page.getByRole("combobox", { name: "Search" });
    await box.click();
    await box.pressSequentially("service:ts-rou");
    await page.locator(".suggestions li", { hasText: "service:ts-route-service" }).click();
    await box.pressSequentially("duration>5ms");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Enter");
    await settle();
    const [[count]] = await sql("SELECT count(DISTINCT trace_id) FROM spans WHERE service_name = 'ts-route-service' AND duration_ns >= 5000000");
    assert.ok(count > 20, `only ${count}`);
    assert.equal(await total(page), count);
    assert.equal(await page.getByLabel("Service", { exact: true }).inputValue(), "ts-route-service");
    const ids = () => page.locator(".result-row").evaluateAll((rows) => rows.map((one) => one.id));
    const first = await ids();
    await page.getByRole("button", { name: "Next" }).click();
    await settle();
    assert.ok(params().has("cursor"));
    const second = await ids();
    assert.equal(new Set([...first, ...second]).size, Math.min(40, count), "no trace is on two pages");
    await page.getByRole("button", { name: "Previous" }).click();
    await settle();
    assert.deepEqual(await ids(), first);
  },

  async "the heatmap counts every trace, and a box of it is a search"({ page, origin, params, settle }) {
    await page.goto(`${origin}/search?plot=heat&service=frontend&operation=${encodeURIComponent("HTTP GET /hotels")}`);
    await page.locator(".heat-detail", { hasText: "1,000 " }).waitFor();
    await settle();
    const box = await page.locator(".duration-plot").boundingBox();
    await page.mouse.move(box.x + box.width * 0.3, box.y + 20);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.6, box.y + 170, { steps: 5 });
    await page.mouse.up();
    await settle();
    const [from, to] = ["start", "end"].map((key) => Date.parse(params().get(key)));
    assert.ok(from >= Date.UTC(2022, 5, 20, 21, 25) && to <= Date.UTC(2022, 5, 20, 21, 27) && from < to, String(params()));
    const found = await total(page);
    assert.ok(found > 0 && found < HOTEL_TRACES, String(found));
    for (const text of await page.locator(".result-row .when small").allInnerTexts()) assert.match(text, /^2022-06-2\d /);
  },

  async "traces are asked for by the faults that the demo built in"({ page, origin, fault, settle }) {
    for (const [detector, names] of [["n_plus_one", ["n_plus_one_sql", "n_plus_one_http"]], ["fan_out", ["fan_out"]], ["retry_storm", ["retry_storm"]], ["large_payload", ["large_payload"]]]) {
      await page.goto(`${origin}/search?service=storefront`);
      await page.getByLabel("Finding", { exact: true }).selectOption(detector);
      await settle();
      const built = names.reduce((sum, name) => sum + fault(name).traces_so_far, 0);
      assert.match(await page.locator(".total").innerText(), new RegExp(`^${built} traces with findings`), detector);
    }
    const [example] = fault("n_plus_one_sql").example_traces;
    await page.goto(`${origin}/search?finding=n_plus_one&service=storefront&operation=${encodeURIComponent(fault("n_plus_one_sql").operation)}`);
    const row = page.locator(`#trace-${example}`);
    await row.getByRole("link", { name: "N+1 calls" }).click();
    await page.getByText(/\d+ spans marked:/).waitFor();
    assert.ok(page.url().includes(`/trace/${example}`));
  },

  async "files of Jaeger and Zipkin are sent, and a live page sees them arrive"({ page, origin, file, fact, open }) {
    const live = await open();
    await live.goto(`${origin}/search?live=1&service=graphql-gateway`);
    await live.locator(".tail").waitFor();
    await page.goto(`${origin}/search`);
    await page.locator(".result-row").first().waitFor();
    await upload(page, "genai-trace.json", file("jaeger-ui/original/genai-trace.json"));
    await page.locator(".trace-page .tree-row").first().waitFor();
    assert.ok(page.url().includes("/trace/4a1b2c3d4e5f60718293a4b5c6d7e8f9"), page.url());
    assert.deepEqual([await fact("Spans"), await fact("Services")], ["57", "10"]);
    // Live is what happens now: the same request, a moment ago.
    await page.goto(`${origin}/search`);
    await upload(page, "genai-now.json", Buffer.from(JSON.stringify(asOfNow(JSON.parse(file("jaeger-ui/original/genai-trace.json"))))));
    await page.locator(".trace-page .tree-row").first().waitFor();
    const arrived = live.locator(`#trace-${NOW_TRACE}`);
    await arrived.waitFor();
    assert.match(await arrived.innerText(), /POST \/api\/graphql[^]*57 spans/);
    await live.close();
    await page.goto(`${origin}/search`);
    await upload(page, "messaging-kafka.json", file("zipkin/original/messaging-kafka.json"));
    await page.locator(".trace-page .tree-row").first().waitFor();
    assert.equal(await fact("Spans"), "28");
    // A second time it is known.
    await page.goto(`${origin}/search`);
    await upload(page, "messaging-kafka.json", file("zipkin/original/messaging-kafka.json"));
    const dialog = page.getByRole("dialog");
    await Promise.race([dialog.getByText(/28 spans were here already/).waitFor(), page.locator(".trace-page .tree-row").first().waitFor()]);
    await page.goto(`${origin}/trace/0562809467078eab`);
    await page.locator(".trace-page .tree-row").first().waitFor();
    assert.equal(await fact("Spans"), "28", "no span twice");
    await page.goto(`${origin}/search`);
    await upload(page, "smartthings.json", file("zipkin/original/smartthings-oauth-authorization.json.gz"));
    await page.locator(".trace-page .tree-row").first().waitFor();
    assert.equal(await fact("Spans"), "175");
  },

  async "a trace is downloaded as it was sent"({ page, origin }) {
    const id = "38be6b17ea2e0c511dc26724f0960a88";
    await page.goto(`${origin}/trace/${id}`);
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Download as OTLP/JSON" }).click()]);
    assert.equal(download.suggestedFilename(), `${id}.json`);
    const { resourceSpans } = JSON.parse(readFileSync(await download.path(), "utf8"));
    const spans = resourceSpans.flatMap((one) => one.scopeSpans).flatMap((one) => one.spans);
    assert.deepEqual([spans.length, new Set(spans.map((one) => one.traceId)).size, spans[0].traceId.toLowerCase()], [76, 1, id]);
  },

  async "what is not there is said so"({ page, origin, forgive }) {
    await page.goto(`${origin}/search?service=nobody`);
    await page.getByRole("heading", { name: "No trace matches" }).waitFor();
    await page.getByRole("button", { name: "Clear all filters" }).click();
    await page.locator(".result-row").first().waitFor();
    await page.goto(`${origin}/trace/${"f".repeat(32)}`);
    await page.getByText(/not (known|here|found|received)|No span/i).first().waitFor();
    await page.goto(`${origin}/nothing/here`);
    await page.getByRole("heading", { name: "There is no page at this address" }).waitFor();
    await page.goto(`${origin}/findings/${"0".repeat(32)}`);
    await page.getByRole("heading", { name: /not|no /i }).first().waitFor();
    await page.goto(`${origin}/search?min_duration=soon`);
    await page.getByText(/soon|duration/i).first().waitFor();
    forgive(404);
    forgive(400);
  },
};
