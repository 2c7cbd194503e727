// Journeys through the built UI, as a person takes them: node dev/journeys.mjs [dist] [name filter]
import assert from "node:assert/strict";
import { launch } from "./browser.mjs";
import { idOf, traceIdOf } from "./mock_data.mjs";
import { serve } from "./mock_server.mjs";

const [dist = "dist", filter = ""] = process.argv.slice(2);
const server = await serve({ port: 0, dist });
const origin = `http://127.0.0.1:${server.address().port}`;
const browser = await launch();
const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, permissions: ["clipboard-read", "clipboard-write"] });
const page = await context.newPage();
const complaints = [];
page.on("pageerror", (error) => complaints.push(String(error)));
page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
const params = () => new URL(page.url()).searchParams;
const settle = () => page.waitForTimeout(600);
const chosen = () => page.locator(".tree-row.chosen").getAttribute("id");

const JOURNEYS = {
  async "an empty server fills itself"() {
    await fetch(`${origin}/mock?empty=1`);
    await page.goto(origin);
    await page.getByRole("heading", { name: "Send the first trace" }).waitFor();
    await page.getByRole("button", { name: "Copy OTLP over gRPC address" }).click();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "http://127.0.0.1:4317");
    await page.getByRole("tab", { name: "curl" }).click();
    assert.match(await page.locator(".recipe pre").innerText(), /4318\/v1\/traces/);
    await fetch(`${origin}/mock?empty=0`);
    await page.locator(".result-row").first().waitFor({ timeout: 5000 });
  },

  async "a search is narrowed, shared and turned over"() {
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

  async "a search is one line, completed, kept and the same as the form"() {
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

  async "traces are seen as they arrive, paused, and pages turned again"() {
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

  async "a file is sent, and leads to its traces"() {
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

  async "all matches are counted, and a box of cells narrows the search"() {
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

  async "a point of the plot opens its trace, a box narrows the search"() {
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

  async "a trace is read by keyboard and the view survives a reload"() {
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

  async "a large trace is zoomed, panned, brushed, folded and filtered from"() {
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

  async "repeated calls are one row, opened, coloured and narrowed by keyboard"() {
    await page.goto(`${origin}/trace/${traceIdOf(8)}`);
    await page.locator(".tree-row").first().waitFor();
    const rows = page.locator(".tree-row");
    assert.equal(await rows.count(), 18);
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

  async "links lead there and back, values narrow the search in the trace"() {
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

  async "a question is written with suggestions, run, drawn, shared and cancelled"() {
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
    assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^trace_id,root_service,/);
    await page.reload();
    await page.locator(".virtual-table .body .row").first().waitFor();
    assert.match(await page.locator(".virtual-table .body .row").first().innerText(), /5 m 10 s/);
    await page.getByRole("tab", { name: "History" }).click();
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

  async "a trace is compared with another one of its operation"() {
    await page.goto(`${origin}/trace/${traceIdOf(1)}`);
    await page.locator(".trace-header").getByRole("link", { name: "Compare" }).click();
    await page.getByLabel("Slowest of the same operation, for B").getByRole("link").first().click();
    await page.locator(".compare-bar").waitFor();
    const shared = page.url();
    assert.match(shared, /\/compare\?a=[0-9a-f]{32}&b=[0-9a-f]{32}$/);
    const headline = await page.locator(".headline").innerText();
    await page.getByRole("button", { name: "Swap A and B" }).click();
    await settle();
    assert.notEqual(page.url(), shared);
    await page.goBack();
    await settle();
    assert.equal(await page.locator(".headline").innerText(), headline);
    await page.getByRole("button", { name: "Tree", exact: true }).click();
    await settle();
    assert.equal(params().get("view"), "tree");
    const first = await page.locator(".virtual-table .body .row").first().innerText();
    await page.reload();
    await page.locator(".virtual-table .body .row").first().waitFor();
    assert.equal(await page.locator(".virtual-table .body .row").first().innerText(), first);
    await page.getByRole("link", { name: "Open in trace B" }).first().click();
    await page.locator(".tree-row.chosen").waitFor();
    await page.goto(`${origin}/search`);
    await page.getByRole("button", { name: "Keep to compare" }).first().click();
    await page.getByRole("button", { name: "Compare with the kept trace" }).nth(2).click();
    await page.locator(".compare-bar").waitFor();
  },

  async "two versions of an operation are compared, and a trace with its kind"() {
    await page.goto(`${origin}/compare`);
    await page.getByRole("link", { name: "Two cohorts" }).click();
    await page.getByRole("combobox", { name: "Service", exact: true }).selectOption("edge-proxy");
    await page.getByRole("combobox", { name: "Operation" }).selectOption("POST /checkout");
    await page.getByRole("combobox", { name: "Told apart by" }).selectOption("version");
    const rows = page.locator(".compare-page .virtual-table .body .row");
    await rows.first().waitFor();
    assert.deepEqual([params().get("x"), params().get("y")], ["version:2.4.0", "version:2.4.1"]);
    assert.match(await rows.first().innerText(), /POST \/checkout[^]*\+96 ms/);
    await page.getByRole("combobox", { name: "B", exact: true }).selectOption("2.4.0");
    await settle();
    assert.equal(params().get("y"), "version:2.4.0");
    await page.reload();
    await rows.first().waitFor();
    await page.getByRole("combobox", { name: "Told apart by" }).selectOption("time");
    await page.getByRole("heading", { name: /before 20/ }).waitFor();
    await page.goto(`${origin}/compare?a=${traceIdOf(1)}`);
    await page.getByRole("link", { name: "Compare with the median of its operation" }).click();
    await rows.first().waitFor();
    assert.equal(params().get("x"), `trace:${traceIdOf(1)}`);
  },

  async "the views of a trace lead back to its timeline"() {
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

  async "clocks that disagree are seen, aligned and explained"() {
    await page.goto(`${origin}/trace/${traceIdOf(9)}`);
    await page.getByText(/As sent, \d+ messages would arrive before they were sent/).waitFor();
    await page.getByRole("group", { name: "Clock" }).getByRole("button", { name: "Raw" }).click();
    await page.getByText(/messages arriving before they were sent/).waitFor();
    const asSent = await page.locator(".trace-facts").innerText();
    await page.getByRole("tab", { name: "Flame graph" }).click();
    await page.locator(".flame-detail").waitFor();
    const work = await page.locator(".flame-detail").innerText();
    await page.getByRole("group", { name: "Clock" }).getByRole("button", { name: "Aligned" }).click();
    await settle();
    assert.notEqual(await page.locator(".trace-facts").innerText(), asSent);
    assert.notEqual(await page.locator(".flame-detail").innerText(), work);
    await page.keyboard.press("t");
    await page.getByRole("tab", { name: "Timeline" }).click();
    await page.getByRole("button", { name: "Show aligned times" }).click();
    await page.getByText(/times are those of edge-proxy on fra-01/).waitFor();
    await page.locator(".tree-row", { hasText: "cart" }).first().click();
    await page.getByText(/known to ±/).first().waitFor();
    await settle();
    assert.equal(params().get("clock"), "aligned");
    await page.mouse.move(1000, 500);
    await page.keyboard.press("t");
    await page.getByText(/One step per start and end/).waitFor();
    await settle();
    assert.equal(params().get("clock"), "causal");
    await page.reload();
    await page.getByText(/One step per start and end/).waitFor();
    await page.keyboard.press("t");
    await page.getByRole("link", { name: "About this clock" }).click();
    await page.locator(".clocks-page h1").waitFor();
    assert.match(params().get("q"), /^node-/);
  },

  async "space-time shows what is proven around a span and between two"() {
    await page.goto(`${origin}/trace/${traceIdOf(9)}?view=space`);
    const area = page.locator(".space-area");
    await area.focus();
    for (const key of ["ArrowDown", "ArrowDown"]) await page.keyboard.press(key);
    await page.locator(".cone-counts").waitFor();
    await settle();
    assert.match(params().get("span"), /^[0-9a-f]{16}$/);
    const counts = (await page.locator(".cone-counts b").allInnerTexts()).map(Number);
    assert.equal(counts.reduce((sum, one) => sum + one, 0), 33);
    await page.keyboard.press("x");
    await page.keyboard.press("ArrowDown");
    await page.locator(".verdict").waitFor();
    await page.keyboard.press("|");
    await page.getByText(/so this is a consistent cut/).waitFor();
    await page.getByRole("slider", { name: "Cut" }).focus();
    const before = await page.getByRole("slider", { name: "Cut" }).getAttribute("aria-valuenow");
    await page.keyboard.press("ArrowRight");
    await settle();
    assert.ok(Number(await page.getByRole("slider", { name: "Cut" }).getAttribute("aria-valuenow")) > Number(before));
    assert.deepEqual([...params().keys()], ["span", "view", "focus", "cut"]);
    const verdict = await page.locator(".verdict").innerText();
    const cut = await page.locator(".space-panel h2").first().innerText();
    await page.reload();
    await page.locator(".verdict").waitFor();
    assert.equal(await page.locator(".verdict").innerText(), verdict);
    assert.equal(await page.locator(".space-panel h2").first().innerText(), cut);
    await page.getByRole("button", { name: "Clear the second span" }).click();
    await settle();
    assert.ok(!params().has("focus"));
    const box = await page.getByRole("slider", { name: "Cut" }).boundingBox();
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(box.x + 200, box.y + 8, { steps: 4 });
    await page.mouse.up();
    await settle();
    assert.notEqual(await page.locator(".space-panel h2").first().innerText(), cut);
    await page.getByRole("button", { name: "Raw", exact: true }).click();
    await settle();
    assert.ok(!params().has("cut"), "a moment of one axis is none of another");
  },

  async "a service is found on the list and the map, and leads to a trace"() {
    await page.goto(`${origin}/search`);
    await page.getByRole("link", { name: "Services", exact: true }).click();
    const rows = page.locator(".red-table .body .row");
    await rows.first().waitFor();
    await page.getByRole("columnheader", { name: "p99" }).getByRole("button").click();
    await settle();
    assert.equal(params().get("sort"), "-p99");
    await page.getByLabel("Filter by name").fill("check");
    await settle();
    assert.equal(await rows.count(), 1);
    await page.reload();
    await rows.first().waitFor();
    assert.equal(await rows.count(), 1);
    await page.getByLabel("Time").selectOption("-168h");
    await page.getByText("from a sample of 4.3 % of the traces").waitFor();
    await page.getByLabel("Filter by name").fill("");
    await page.getByRole("link", { name: "Map", exact: true }).click();
    const placeOf = (name) => page.locator(".call-graph .box", { hasText: name }).getAttribute("transform");
    await page.locator(".call-graph .box").first().waitFor();
    const places = [await placeOf("checkout"), await placeOf("redis")];
    await page.reload();
    await page.locator(".call-graph .box").first().waitFor();
    assert.deepEqual([await placeOf("checkout"), await placeOf("redis")], places);
    await page.locator(".call-graph .box", { hasText: "checkout" }).focus();
    await page.locator(".graph-detail", { hasText: "checkout:" }).waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "checkout", level: 1 }).waitFor();
    assert.equal(page.url(), `${origin}/services/checkout?start=-168h`);
    await page.getByRole("link", { name: "POST /checkout", exact: true }).click();
    await page.getByRole("heading", { name: "POST /checkout", level: 1 }).waitFor();
    assert.equal(new URL(page.url()).pathname, "/services/checkout/POST%20%2Fcheckout");
    await page.locator(".exemplars a").first().waitFor();
    const mark = page.locator(".line-chart .link").nth(1);
    await mark.focus();
    await page.keyboard.press("Enter");
    await page.locator(".trace-page .span-panel").waitFor();
    await page.goBack();
    await page.getByRole("navigation", { name: "Above this page" }).getByRole("link", { name: "Services" }).click();
    await rows.first().waitFor();
  },

  async "the clocks page finds the worst, explains it and tells against another"() {
    await page.goto(origin);
    await page.getByRole("link", { name: "Clocks" }).click();
    await page.locator(".clock-row").first().waitFor();
    assert.match(await page.locator(".clock-row .badges").first().innerText(), /stepped|far off|contradictory/);
    await page.getByLabel("Filter clocks").fill("drifting");
    await settle();
    assert.equal(params().get("q"), "drifting");
    await page.getByText("What to do:").first().waitFor();
    await page.getByRole("button", { name: "Tell all offsets against this clock" }).click();
    await settle();
    assert.match(params().get("reference"), /^node-/);
    await page.getByLabel("Filter clocks").fill("");
    await page.getByRole("link", { name: "Pairs" }).click();
    await page.locator(".pairs td.pair").first().waitFor();
    await page.reload();
    await page.locator(".pairs td.pair").first().waitFor();
    await page.getByRole("link", { name: "What it means" }).click();
    await page.locator(".clock-help dt").first().waitFor();
  },

  async "a finding leads from the whole system to the spans of one trace"() {
    await page.goto(origin);
    await page.getByRole("link", { name: "Findings", exact: true }).click();
    await page.getByRole("link", { name: /^The network is secure\s*No finding/ }).waitFor();
    assert.equal(await page.locator(".group-row").count(), 5);
    await page.getByRole("link", { name: /^Latency is zero/ }).click();
    await page.getByLabel("Severity").selectOption("high");
    await page.getByText("1 kind of finding in 1 place").waitFor();
    assert.equal(String(params()), "fallacy=latency_is_zero&severity=high");
    await page.reload();
    await page.getByRole("button", { name: "Why, and what to do" }).click();
    await page.getByText("Ask for all items at once: 137 calls become 1.").waitFor();
    await page.getByRole("link", { name: /SELECT items 137 times/ }).click();
    await page.getByRole("heading", { name: "Where it was seen" }).waitFor();
    await page.getByText("Evidence in figures").click();
    await page.locator(".figures", { hasText: "6.1 ms" }).waitFor();
    await page.locator(".virtual-table").focus();
    for (const key of ["ArrowDown", "Enter"]) await page.keyboard.press(key);
    await page.getByText("137 spans marked:").waitFor();
    await page.locator(".find output", { hasText: "1 / 137" }).waitFor();
    assert.match(params().get("span"), /^[0-9a-f]{16}$/);
    await page.goBack();
    await page.goBack();
    await page.getByRole("link", { name: traceIdOf(8).slice(0, 8) }).click();
    // This link names no span: the first one of the finding is chosen when it is known.
    await page.locator(".tree-row.chosen", { hasText: "SELECT items" }).waitFor();
    await page.getByRole("button", { name: "Clear the marks" }).click();
    await settle();
    assert.ok(!params().has("find"));

    await page.goto(`${origin}/trace/${traceIdOf(1)}`);
    await page.getByRole("tab", { name: "Findings 3" }).click();
    await page.getByRole("button", { name: "shop-web GET /cart makes 3 calls one after another" }).click();
    await settle();
    const group = params().get("group");
    await page.reload();
    await page.getByText("A call needs what an earlier one answered.").waitFor();
    assert.equal(params().get("group"), group);
    await page.locator(".finding.open .span-link").nth(2).click();
    await settle();
    assert.equal(params().get("find"), `finding:${group}`);
    assert.equal(params().get("span"), idOf(1, 2));
    await page.getByText("3 spans marked:").waitFor();
    await page.goBack();
    await page.locator(".finding.open").waitFor();
  },

  async "a change is tried on a finding, altered, shared and taken back"() {
    await page.goto(`${origin}/trace/${traceIdOf(8)}?view=findings`);
    await page.getByRole("button", { name: "What if…" }).first().click();
    const panel = page.getByRole("region", { name: "What if" });
    await panel.getByText("saves 356 ms, 56 %").waitFor();
    const rows = panel.locator(".virtual-table .body .row");
    assert.match(await rows.nth(3).innerText(), /137 ×[^]*SELECT items[^]*394 ms[^]*1 × /);
    await panel.getByLabel("Change", { exact: true }).selectOption("faster");
    await panel.getByLabel("by percent").fill("nonsense");
    assert.equal(await panel.getByLabel("by percent").getAttribute("aria-invalid"), "true");
    await panel.getByLabel("by percent").fill("100");
    await panel.locator(".headline:not(.stale)", { hasText: "saves" }).waitFor();
    await settle();
    assert.match(params().get("change"), /^faster:100:finding:/);
    await page.reload();
    await panel.locator(".headline").waitFor();
    await page.getByRole("tab", { name: "Critical path" }).click();
    await panel.locator(".headline").waitFor();
    await page.locator(".path-tab .virtual-table").first().getByRole("button", { name: "What if…" }).first().click();
    await panel.locator(".changes li").nth(2).waitFor();
    await panel.getByRole("button", { name: "Close what if" }).click();
    await settle();
    assert.ok(!params().has("change"));
  },

  async "the critical path is read as a bar and as a table"() {
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

let failed = 0;
for (const [name, journey] of Object.entries(JOURNEYS).filter(([name]) => name.includes(filter))) {
  try {
    await journey();
    process.stdout.write(`ok    ${name}\n`);
  } catch (error) {
    failed++;
    process.stdout.write(`FAIL  ${name}\n${error.stack}\n`);
    await page.screenshot({ path: "journey_failed.png" });
  }
}
for (const one of complaints) process.stdout.write(`page complained: ${one}\n`);
await browser.close();
server.close();
process.exitCode = failed + complaints.length > 0 ? 1 : 0;
