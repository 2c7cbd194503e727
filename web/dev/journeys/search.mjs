// The search page: the form, the box, the list, the plots, live, files.
import assert from "node:assert/strict";
import { traceIdOf } from "../mock_data.mjs";

export const JOURNEYS = {
  async "an empty server fills itself"({ page, origin, settle }) {
    await fetch(`${origin}/mock?empty=1`);
    await page.goto(origin);
    await page.getByRole("heading", { name: "Send the first trace" }).waitFor();
    await page.getByRole("button", { name: "Copy OTLP over gRPC address" }).click();
    await settle();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "http://127.0.0.1:4317");
    await page.getByRole("tab", { name: "curl" }).click();
    await settle();
    assert.match(await page.locator(".recipe pre").innerText(), /4318\/v1\/traces/);
    await fetch(`${origin}/mock?empty=0`);
    await page.locator(".result-row").first().waitFor({ timeout: 5000 });
  },

  async "a search is narrowed, shared and turned over"({ page, origin, params, settle }) {
    await page.goto(origin);
    await page.getByLabel("Service", { exact: true }).selectOption("checkout");
    await page.getByRole("button", { name: "Error", exact: true }).click();
    await page.getByLabel("Shortest duration").fill("10ms");
    await page.keyboard.press("Enter");
    await page.getByLabel("Attribute, key=value").fill("http.route=/a=b");
    await page.getByRole("button", { name: "Add attribute filter" }).click();
    await settle();
    assert.equal(String(params()), "service=checkout&attr=http.route%3D%2Fa%3Db&status=error&min_duration=10ms");
    const total = await page.locator(".total").innerText();
    await page.reload();
    await page.locator(".result-row").first().waitFor();
    assert.equal(await page.locator(".total").innerText(), total);
    assert.equal(await page.getByLabel("Shortest duration").inputValue(), "10ms");
    await page.getByLabel("Longest duration").fill("soon");
    await page.keyboard.press("Tab");
    await page.getByText("Use a number and a unit").waitFor();
    await page.goto(`${origin}/search?limit=20`);
    const first = await page.locator(".result-row").first().getAttribute("id");
    await page.getByRole("button", { name: "Next" }).click();
    await settle();
    assert.equal(params().get("cursor"), "20");
    assert.notEqual(await page.locator(".result-row").first().getAttribute("id"), first);
    await page.getByRole("button", { name: "Previous" }).click();
    await settle();
    assert.equal(await page.locator(".result-row").first().getAttribute("id"), first);
  },

  async "traces are asked for by what was found in them, and open there"({ page, origin, params, settle }) {
    await page.goto(origin);
    const badges = page.locator(".found-badges a");
    await badges.first().waitFor();
    await page.getByLabel("Finding", { exact: true }).selectOption("n_plus_one");
    await settle();
    assert.equal(String(params()), "finding=n_plus_one");
    assert.equal(await page.locator(".total").innerText(), "1 trace with findings");
    const box = page.getByRole("combobox", { name: "Search" });
    assert.equal(await box.inputValue(), "finding:n_plus_one");
    await box.fill("finding:");
    await page.locator(".suggestions li", { hasText: "finding:*" }).click();
    await page.keyboard.press("Enter");
    await settle();
    assert.equal(params().get("finding"), "*");
    await page.getByLabel("Order").selectOption("worst");
    await settle();
    const shared = page.url();
    const lines = await page.locator(".found-badges").allInnerTexts();
    await page.reload();
    await badges.first().waitFor();
    assert.deepEqual([page.url(), await page.locator(".found-badges").allInnerTexts()], [shared, lines]);
    assert.equal(await page.getByLabel("Finding", { exact: true }).inputValue(), "*");
    await page.getByRole("link", { name: /N\+1 calls$/ }).click();
    await page.getByText("137 spans marked:").waitFor();
    assert.equal(params().get("find"), "finding:n_plus_one");
  },

  async "a search is one line, completed, kept and the same as the form"({ page, origin, params, settle }) {
    await page.goto(origin);
    await page.locator(".result-row").first().waitFor();
    const box = page.getByRole("combobox", { name: "Search" });
    await box.click();
    await box.pressSequentially("serv");
    await page.keyboard.press("Tab");
    await box.pressSequentially("check");
    await page.locator(".suggestions li", { hasText: "service:checkout" }).waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await box.pressSequentially("error duration>10ms http.route=");
    await page.locator(".suggestions li", { hasText: "/check out" }).click();
    assert.equal(await box.inputValue(), 'service:checkout error duration>10ms http.route="/check out" ');
    await page.keyboard.press("Enter");
    await settle();
    assert.equal(String(params()), "service=checkout&attr=http.route%3D%2Fcheck+out&status=error&min_duration=10ms");
    assert.equal(await page.getByLabel("Shortest duration").inputValue(), "10ms");
    await page.getByRole("button", { name: "Saved and recent searches" }).click();
    await page.getByRole("button", { name: "Save this search" }).click();
    await page.keyboard.press("Escape");
    await page.getByLabel("Service", { exact: true }).selectOption("cart");
    await settle();
    assert.equal(await box.inputValue(), 'service:cart error duration>10ms http.route="/check out"');
    await page.reload();
    await page.getByRole("button", { name: "Saved and recent searches" }).click();
    await page.getByLabel("Saved searches").getByRole("link").click();
    await settle();
    assert.equal(params().get("service"), "checkout");
    await box.fill("nonsense");
    await page.keyboard.press("Enter");
    await page.getByText("“nonsense” is no term").waitFor();
    await box.fill(traceIdOf(1));
    await page.keyboard.press("Enter");
    await page.locator(".trace-page").waitFor();
  },

  async "traces are seen as they arrive, paused, and pages turned again"({ page, origin, params, settle, complaints }) {
    await page.goto(`${origin}/search?limit=20`);
    await page.locator(".result-row").first().waitFor();
    const first = await page.locator(".result-row").first().getAttribute("id");
    await page.getByRole("button", { name: "Live" }).click();
    await page.locator(".tail", { hasText: /\d+ traces? arrived/ }).waitFor();
    await page.waitForFunction((id) => document.querySelector(".result-row")?.id !== id, first);
    assert.equal(params().get("live"), "1");
    assert.equal(await page.locator(".result-row").count(), 20);
    await page.getByRole("button", { name: "Pause" }).click();
    await page.locator(".tail", { hasText: /paused, \d+ traces? waiting/ }).waitFor();
    const kept = await page.locator(".result-row").first().getAttribute("id");
    await settle();
    assert.equal(await page.locator(".result-row").first().getAttribute("id"), kept);
    await page.getByRole("button", { name: "Go on" }).click();
    await page.waitForFunction((id) => document.querySelector(".result-row")?.id !== id, kept);
    await page.getByRole("button", { name: "Live" }).click();
    await page.getByRole("button", { name: "Next" }).click();
    await settle();
    assert.ok(!params().has("live") && params().get("page") === "2");
    await fetch(`${origin}/mock?refuse=1`);
    await page.goto(`${origin}/search?live=1`);
    await page.locator(".tail", { hasText: "asks every 5 seconds" }).waitFor();
    await fetch(`${origin}/mock?refuse=0`);
    // The browser says itself that the server refused; nothing else may have been said.
    assert.deepEqual(complaints.splice(0).filter((one) => !/Failed to load resource|EventSource/.test(one)), []);
  },

  async "a file is sent, and leads to its traces"({ page, origin, complaints }) {
    const file = (name, text) => ({ name, mimeType: "application/json", buffer: Buffer.from(text) });
    await page.goto(`${origin}/search`);
    await page.locator(".result-row").first().waitFor();
    await page.getByLabel("File of spans", { exact: true }).setInputFiles(file("several.json", '{"traces":30}'));
    const dialog = page.getByRole("dialog");
    await dialog.getByText("210 spans of 30 traces arrived; 2 spans were here already, 1 span could not be taken.").waitFor();
    // The last link is there once the times of the traces are known.
    await dialog.getByRole("link").nth(20).waitFor();
    assert.equal(await dialog.getByRole("link").count(), 21);
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "hidden" });
    await page.getByLabel("File of spans", { exact: true }).setInputFiles(file("broken.json", "<xml>"));
    await dialog.getByText(/neither OTLP/).waitFor();
    await dialog.getByRole("button", { name: "Close" }).click();
    complaints.splice(0);
    await page.getByLabel("File of spans", { exact: true }).setInputFiles(file("one.json", "{}"));
    await page.locator(".trace-page .tree-row").first().waitFor();
    assert.match(page.url(), new RegExp(`/trace/${traceIdOf(1)}`));
  },

  async "all matches are counted, and a box of cells narrows the search"({ page, origin, params, settle }) {
    await page.goto(`${origin}/search`);
    await page.getByRole("button", { name: "Heatmap" }).click();
    await page.locator(".heat-detail").waitFor();
    await settle();
    assert.equal(params().get("plot"), "heat");
    const box = await page.locator(".duration-plot").boundingBox();
    await page.mouse.move(box.x + 300, box.y + 60);
    await page.mouse.down();
    await page.mouse.move(box.x + 600, box.y + 170, { steps: 5 });
    await page.mouse.up();
    await settle();
    assert.ok(params().get("start") < params().get("end") && params().has("min_duration") && params().get("plot") === "heat");
    await page.getByRole("button", { name: "Heatmap" }).click();
    await settle();
    assert.ok(!params().has("plot") && params().has("start"));
  },

  async "a point of the plot opens its trace, a box narrows the search"({ page, origin, params, settle }) {
    await page.goto(`${origin}/search`);
    await page.locator(".result-row").first().waitFor();
    await settle();
    const box = await page.locator(".duration-plot").boundingBox();
    await page.mouse.move(box.x + 200, box.y + 60);
    await page.mouse.down();
    await page.mouse.move(box.x + 700, box.y + 180, { steps: 5 });
    await page.mouse.up();
    await settle();
    assert.ok(params().get("start") < params().get("end") && params().has("min_duration"));
    await page.goBack();
    await settle();
    const link = page.locator(".result-row a").first();
    const href = await link.getAttribute("href");
    await link.hover();
    for (let x = box.width - 14; x > 60; x -= 6) {
      for (const y of [60, 90, 120, 150]) {
        await page.mouse.move(box.x + x, box.y + y);
        if (await page.locator(".duration-plot.on-point").count()) {
          await page.mouse.down();
          await page.mouse.up();
          await page.locator(".trace-page").waitFor();
          assert.match(page.url(), /\/trace\/[0-9a-f]{32}/);
          return;
        }
      }
    }
    assert.fail(`no point found, though ${href} is listed`);
  },
};
