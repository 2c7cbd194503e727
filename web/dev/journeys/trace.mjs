// One trace: timeline, details, and the views beside it.
import assert from "node:assert/strict";
import { idOf, traceIdOf } from "../mock_data.mjs";

export const JOURNEYS = {
  async "a trace is read by keyboard and the view survives a reload"({ page, origin, params, settle, chosen }) {
    await page.goto(`${origin}/trace/${traceIdOf(1)}`);
    await page.locator(".tree-row").first().waitFor();
    for (const key of ["ArrowDown", "ArrowDown", "ArrowUp", "ArrowRight"]) await page.keyboard.press(key);
    await settle();
    assert.equal(await chosen(), "row-1");
    await page.keyboard.press("e");
    await page.keyboard.press("Enter");
    await page.locator(".span-panel .attribute-table").first().waitFor();
    const row = await chosen();
    await page.keyboard.press("f");
    await page.keyboard.press("/");
    await page.keyboard.type("service:redis");
    await settle();
    const shared = page.url();
    assert.deepEqual([...params().keys()], ["span", "from", "to", "find"]);
    await page.reload();
    await page.locator(".span-panel").waitFor();
    await settle();
    assert.equal(page.url(), shared);
    assert.equal(await chosen(), row);
    await page.keyboard.press("Escape");
    await settle();
    assert.equal(await page.locator(".span-panel").count(), 0);
    await page.keyboard.press("p");
    await settle();
    assert.ok(params().has("level"));
    await page.keyboard.press("?");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("0");
    await settle();
    assert.ok(!params().has("from"));
  },

  async "a large trace is zoomed, panned, brushed, folded and filtered from"({ page, origin, params, settle }) {
    await page.goto(`${origin}/trace/${traceIdOf(4)}?span=${idOf(4, 60_000)}`);
    await page.locator("#row-60000").waitFor();
    await page.locator(".span-panel .attribute-table").first().waitFor();
    await page.getByRole("button", { name: "Close the details" }).click();
    const box = await page.locator(".bars").boundingBox();
    await page.mouse.move(box.x + 300, box.y + 300);
    await page.keyboard.down("Control");
    await page.mouse.wheel(0, -600);
    await page.keyboard.up("Control");
    await settle();
    const zoomed = [Number(params().get("from")), Number(params().get("to"))];
    assert.ok(zoomed[0] > 0 && zoomed[1] - zoomed[0] < 150e9);
    await page.mouse.down();
    await page.mouse.move(box.x + 100, box.y + 300, { steps: 4 });
    await page.mouse.up();
    await settle();
    assert.ok(Number(params().get("from")) > zoomed[0]);
    const map = await page.locator(".minimap-strip").boundingBox();
    await page.mouse.dblclick(map.x + 50, map.y + 30);
    await settle();
    assert.ok(!params().has("from"));
    await page.mouse.move(map.x + map.width / 2, map.y + 20);
    await page.mouse.down();
    await page.mouse.move(map.x + map.width * 0.75, map.y + 30, { steps: 4 });
    await page.mouse.up();
    await settle();
    assert.ok(Math.abs(Number(params().get("to")) / 310e9 - 0.75) < 0.02, String(params()));
    await page.mouse.click(box.x + 300, box.y + 15);
    await page.keyboard.press("Home");
    await page.locator("#row-0 .fold").click();
    await settle();
    assert.equal(await page.locator(".tree-row").count(), 1);
    await page.locator("#row-0 .fold").click();
    await page.locator("#row-0 .label").click();
    await page.getByRole("link", { name: "Find traces with this http.route" }).click();
    await page.locator(".result-row").first().waitFor();
    assert.equal(params().get("attr"), "http.route=/products/{id}");
  },

  async "repeated calls are one row, opened, coloured and narrowed by keyboard"({ page, origin, params, settle, chosen }) {
    await page.goto(`${origin}/trace/${traceIdOf(8)}`);
    await page.locator(".tree-row").first().waitFor();
    const rows = page.locator(".tree-row");
    assert.equal(await rows.count(), 8);
    assert.deepEqual((await rows.allInnerTexts()).slice(-2).map((text) => text.split(/\s{2,}|\n/)[0].trim()), ["6 ×", "6 ×"]);
    assert.match(await page.locator("#row-4").innerText(), /137 ×\s+SELECT items/);
    await page.locator("#row-4 .label").click();
    await page.getByText("137 equal calls").waitFor();
    await page.keyboard.press("e");
    await settle();
    assert.equal(await chosen(), "row-94");
    const shared = page.url();
    await page.reload();
    await page.locator("#row-94.chosen").waitFor();
    assert.equal(page.url(), shared);
    await page.keyboard.press("/");
    await page.keyboard.type("service=postgres duration>10ms");
    await page.keyboard.press("Tab");
    for (const key of ["m", "c", "c", "r"]) await page.keyboard.press(key);
    await settle();
    assert.deepEqual(["find", "only", "color", "fold"].map((key) => params().get(key)), ["service=postgres duration>10ms", "1", "error", "0"]);
    assert.equal(await rows.count(), 4);
    await page.reload();
    await rows.first().waitFor();
    assert.equal(await rows.count(), 4);
    for (const key of ["m", "r", "2"]) await page.keyboard.press(key);
    await settle();
    assert.equal(await rows.count(), 2);
    await page.keyboard.press("[");
    await page.getByRole("button", { name: "Close all spans of shop-web" }).focus();
    await page.keyboard.press("Enter");
    await settle();
    assert.deepEqual([await rows.count(), params().get("closed")], [2, "shop-web"]);
  },

  async "links lead there and back, values narrow the search in the trace"({ page, origin, params, settle }) {
    await page.goto(`${origin}/trace/${traceIdOf(7)}?span=${idOf(7, 3)}`);
    await page.locator(".span-panel .attribute-table").first().waitFor();
    await page.locator("summary", { hasText: "Links to this span" }).click();
    await page.getByRole("button", { name: "Look for spans that link here" }).click();
    await page.getByRole("link", { name: "mailer orders process" }).click();
    await page.locator(".span-panel .attribute-table").first().waitFor();
    assert.match(page.url(), new RegExp(`/trace/${traceIdOf(1)}\\?span=`));
    const attribute = page.locator(".attribute-table tr", { hasText: "host.name" });
    await attribute.hover();
    await page.getByRole("button", { name: "Mark spans with this host.name" }).click();
    await page.locator(".find output", { hasText: /\d/ }).waitFor();
    await page.getByRole("button", { name: "Exclude spans with this cache.hit" }).click();
    await settle();
    assert.match(params().get("find"), /^@host\.name=node-\d\.eu-central -@cache\.hit=(true|false)$/);
    await page.getByRole("button", { name: "Not like this" }).click();
    await settle();
    assert.match(params().get("find"), / -name=/);
  },

  async "the views of a trace lead back to its timeline"({ page, origin, params, settle }) {
    await page.goto(`${origin}/trace/${traceIdOf(3)}`);
    await page.locator(".tree-row").first().waitFor();
    await page.getByRole("tab", { name: "Statistics" }).click();
    const cells = page.locator(".virtual-table .body .row");
    await cells.first().waitFor();
    await page.getByLabel("Group by").selectOption("service");
    await page.getByRole("button", { name: "Spans", exact: true }).click();
    await settle();
    assert.equal(String(params()), "view=statistics&group=service&sort=-count");
    assert.match(await cells.first().innerText(), /^mailer\s+3,207/);
    await page.reload();
    await cells.first().waitFor();
    assert.match(await cells.first().innerText(), /^mailer\s+3,207/);
    await page.getByLabel("Group by").selectOption("@host.name");
    await page.getByText("5 groups, 10,000 spans").waitFor();
    await cells.first().click();
    await page.locator(".tree-row.match").first().waitFor();
    assert.equal(params().get("find"), "@host.name=node-0.eu-central");
    await page.reload();
    await page.locator(".find output", { hasText: "2,000" }).waitFor();
    await page.goBack();
    await page.getByText("5 groups, 10,000 spans").waitFor();

    await page.getByRole("tab", { name: "Spans" }).click();
    await page.getByRole("button", { name: "Duration" }).click();
    await page.getByLabel("Find in this trace").fill("service:cart duration>100ms");
    await page.locator(".tab-bar", { hasText: " of 10,000 spans" }).waitFor();
    await page.locator(".virtual-table").focus();
    for (const key of ["ArrowDown", "ArrowDown", "Enter"]) await page.keyboard.press(key);
    await page.locator(".span-panel .attribute-table").first().waitFor();
    await settle();
    assert.deepEqual([...params().keys()], ["span", "find", "view", "sort"]);
    const name = await page.locator(".virtual-table .row.chosen").innerText();
    await page.reload();
    await page.locator(".virtual-table .row.chosen").waitFor();
    assert.equal(await page.locator(".virtual-table .row.chosen").innerText(), name);

    await page.keyboard.press("Escape");
    await page.getByRole("tab", { name: "Flame graph" }).click();
    await page.locator(".flame").focus();
    for (const key of ["ArrowDown", "ArrowDown", "ArrowRight", "Enter"]) await page.keyboard.press(key);
    await settle();
    const focus = params().get("focus");
    assert.match(focus, /^[0-9a-f]{16}$/);
    const detail = await page.locator(".flame-detail").innerText();
    await page.reload();
    await page.locator(".flame-detail b").waitFor();
    assert.equal(await page.locator(".flame-detail").innerText(), detail);
    await page.getByRole("button", { name: "Whole trace" }).click();
    await settle();
    assert.ok(!params().has("focus"));

    await page.getByRole("tab", { name: "Call graph" }).click();
    await page.getByRole("button", { name: /^catalog 323 spans/ }).focus();
    await page.keyboard.press("Enter");
    await page.locator(".tree-row.match").first().waitFor();
    assert.equal(params().get("find"), "service=catalog");
  },

  async "the critical path is read as a bar and as a table"({ page, origin, params, settle }) {
    await page.goto(`${origin}/trace/${traceIdOf(1)}`);
    await page.getByRole("tab", { name: "Critical path" }).click();
    const rows = page.locator(".path-tab .virtual-table .body .row");
    await rows.first().waitFor();
    assert.match(await rows.first().innerText(), /POST \/checkout[^]*72 %/);
    await page.getByLabel("Add up by").selectOption("segment");
    await page.getByRole("group", { name: "Clock" }).getByRole("button", { name: "Raw" }).click();
    await settle();
    assert.deepEqual([params().get("group"), params().get("clock")], ["segment", "raw"]);
    await page.reload();
    await page.getByText("412 ms in 49 segments").waitFor();
    assert.equal(await page.locator(".virtual-table").getAttribute("aria-rowcount"), "50");
    await page.locator(".virtual-table").focus();
    for (const key of ["ArrowDown", "Enter"]) await page.keyboard.press(key);
    await page.locator(".span-panel .attribute-table").first().waitFor();
    await settle();
    assert.equal(params().get("span"), idOf(1, 0));
    await page.locator(".path-bar i").nth(2).click();
    await settle();
    assert.notEqual(params().get("span"), idOf(1, 0));
    await page.getByRole("tab", { name: "Timeline" }).click();
    await page.locator(".tree-row.chosen").waitFor();
  },
};
