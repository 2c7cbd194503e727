// A server without spans.
import assert from "node:assert/strict";

export const JOURNEYS = {
  async "an empty server shows how to send, and fills itself"({ page, origin, otlp, file, settle }) {
    const policy = (await page.goto(origin)).headers()["content-security-policy"] ?? "";
    assert.match(policy, /default-src 'self'/);
    assert.doesNotMatch(policy, /unsafe-inline|unsafe-eval|\*|data:|blob:/);
    await page.getByRole("heading", { name: "Send the first trace" }).waitFor();
    await page.getByRole("button", { name: "Copy OTLP over gRPC address" }).click();
    await settle();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "http://127.0.0.1:4317");
    for (const name of await page.getByRole("tab").allInnerTexts()) {
      await page.getByRole("tab", { name, exact: true }).click();
      assert.match(await page.locator(".recipe pre").innerText(), /431[78]|localhost|127\.0\.0\.1/, name);
    }
    for (const [path, words] of [["/findings", "Nothing was found so far"], ["/clocks", "No clock is known in this time"], ["/services", "No service was called in this time"]]) {
      await page.goto(origin + path);
      await page.getByRole("heading", { name: words }).waitFor();
    }
    await page.goto(origin);
    await page.getByRole("heading", { name: "Send the first trace" }).waitFor();
    // The first line of a data set is a request, and one trace.
    const [request] = file("traceweaver-hotel/hotel_load100.jsonl.gz").toString().split("\n", 1);
    const answer = await fetch(`${otlp}/v1/traces`, { method: "POST", headers: { "content-type": "application/json" }, body: request });
    assert.equal(answer.status, 200, await answer.text());
    const row = page.locator(".result-row");
    await row.waitFor();
    assert.match(await row.innerText(), /frontend\s*HTTP GET \/hotels[^]*11 spans/);
    assert.equal(await page.locator(".total").innerText(), "1 trace");
  },
};
