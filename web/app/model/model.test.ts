// The tree, the search in a trace, the two URLs, colours of services.
import { describe, expect, test } from "vitest";
import { attributeColumn } from "../api/trace_attributes.ts";
import { attributeKeysOf, findSpans, neighbour, termsOf } from "./find.ts";
import { sampleTrace } from "./sample_trace.ts";
import { apiParams, attributeProblem, changed, durationProblem, EMPTY_QUERY, filterCount, parseSearch, searchParams, searchUrl, tailParams } from "./search_query.ts";
import { assignSlots, SLOT_COUNT } from "./service_slots.ts";
import { childCount, countSpans, hasTime, nameOf, rowOfSpanId, selfTime, spanIdOf } from "./span_row.ts";
import { FIRST_TAB, parseView, viewParams } from "./trace_view.ts";
import { findFolds } from "./folds.ts";
import { FIRST_COLLAPSE, isCollapsed, NOTHING_COLLAPSED, positionOf, reveal, toggleRow, toggleService, visibleRows, withAncestors } from "./visible_rows.ts";

const trace = sampleTrace(`
  web GET 0+1000
    cart read 100+300
      db SELECT 150+50
      db SELECT 180+60 error
    cart write 500+400
      db INSERT 600+100
  web late 1100+50
  x lost 0+0 missing
    mail send 700+20 early
`);

const folds = findFolds(trace);

describe("visible rows", () => {
  const rows = (collapse = NOTHING_COLLAPSED): number[] => [...visibleRows(trace, folds, collapse)];

  test("are all rows at first", () => {
    expect(rows()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  test("skip what is inside a collapsed row", () => {
    const collapse = toggleRow(NOTHING_COLLAPSED, 1);
    expect(rows(collapse)).toEqual([0, 1, 4, 5, 6, 7, 8]);
    expect(rows(toggleRow(collapse, 1))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  test("follow a level, with exceptions", () => {
    const level = { ...NOTHING_COLLAPSED, level: 1 };
    expect(rows(level)).toEqual([0, 1, 4, 6, 7, 8]);
    expect(rows(toggleRow(level, 4))).toEqual([0, 1, 4, 5, 6, 7, 8]);
    expect(rows({ ...NOTHING_COLLAPSED, level: 0 })).toEqual([0, 6, 7]);
    expect(isCollapsed(trace, { ...NOTHING_COLLAPSED, level: 0 }, 6)).toBe(false);
  });

  test("open up to show a row", () => {
    expect(rows(reveal(trace, folds, { ...NOTHING_COLLAPSED, level: 0 }, 5))).toEqual([0, 1, 4, 5, 6, 7]);
  });

  test("leave out what is inside the spans of a closed service, with exceptions", () => {
    const closed = toggleService(NOTHING_COLLAPSED, 1);
    expect(rows(closed)).toEqual([0, 1, 4, 6, 7, 8]);
    expect(rows(toggleRow(closed, 1))).toEqual([0, 1, 2, 3, 4, 6, 7, 8]);
    expect(rows(toggleService(closed, 1))).toEqual(rows());
  });

  test("can be those that match, and what is above them", () => {
    const mask = Uint8Array.of(0, 0, 0, 1, 0, 0, 0, 0, 1);
    expect([...visibleRows(trace, folds, FIRST_COLLAPSE, withAncestors(trace, mask))]).toEqual([0, 1, 3, 7, 8]);
  });

  test("are found by position", () => {
    const shown = visibleRows(trace, folds, toggleRow(NOTHING_COLLAPSED, 1));
    expect([0, 1, 2, 3, 4, 8].map((row) => positionOf(shown, row))).toEqual([0, 1, 1, 1, 2, 6]);
  });
});

describe("a row", () => {
  test("has an id that leads back to it", () => {
    expect(spanIdOf(trace, 3)).toBe("0000000000abc003");
    expect([rowOfSpanId(trace, "0000000000ABC003"), rowOfSpanId(trace, "0000000000abc0ff"), rowOfSpanId(trace, "nonsense")]).toEqual([3, -1, -1]);
  });

  test("knows its self time, with overlapping children counted once", () => {
    expect([selfTime(trace, 0), selfTime(trace, 1), selfTime(trace, 2)]).toEqual([300, 210, 50]);
    expect(childCount(trace, 0)).toBe(2);
  });

  test("for a missing parent is no span and has no time", () => {
    expect(nameOf(trace, 7)).toBe("span not received");
    expect(hasTime(trace, 7)).toBe(false);
    expect(selfTime(trace, 7)).toBeNaN();
    expect(countSpans(trace)).toEqual({ spans: 8, errors: 1, depthMax: 2, byService: [2, 2, 3, 0, 1] });
  });
});

describe("find", () => {
  const find = (query: string): number[] => [...(findSpans(trace, query, attributes)?.rows ?? [])];
  const attributes = new Map([["peer", attributeColumn(trace, "peer", (id) => ({ "0000000000abc002": "replica", "0000000000abc005": "main" })[id] ?? null)]]);

  test.each([
    ["select", [2, 3]], ["db select", [2, 3]], ["service:cart", [1, 4]], ["service:c", [1, 4]], ["status:error", [3]], ["is:incomplete", [7, 8]],
    ["abc005", [5]], ["db status:error", [3]], ["nothing", []], ["is:nonsense", []],
    ["name=select", [2, 3]], ["name=sele", []], ["-service:db -is:incomplete", [0, 1, 4, 6]], ["duration>200ns is:leaf", []], ["duration>55ns is:leaf", [3, 5]],
    ["duration<soon", []], ["is:root", [0, 6, 7]], ["service=db status=error", [3]], ["@peer", [2, 5]], ["-@peer service:db", [3]], ["@peer=Main", [5]], ["@Peer:a", [2, 5]], ["@other=x", []],
  ])("%s", (query, rows) => {
    expect(find(query)).toEqual(rows);
  });

  test("has nothing to do without words", () => {
    expect(findSpans(trace, "  ")).toBeNull();
  });

  test("keeps quoted words together", () => {
    expect(termsOf('service:"My Shop"  error "a b')).toEqual(["service:my shop", "error", "a b"]);
  });

  test("says which attributes it needs", () => {
    expect(attributeKeysOf('a @http.route=/x -@peer.Service "@with blank:1"')).toEqual(["http.route", "peer.Service", "with blank"]);
  });

  test("goes around at both ends", () => {
    const rows = Int32Array.of(2, 5);
    expect([neighbour(rows, 2, 1), neighbour(rows, 5, 1), neighbour(rows, 2, -1), neighbour(rows, -1, 1), neighbour(new Int32Array(), 0, 1)]).toEqual([5, 2, 5, 2, -1]);
  });
});

describe("the search URL", () => {
  const full = "/search?service=a%26b&operation=GET+%2F&attr=k%3Dv%3Dw&attr=x%3D1&status=error&min_duration=10ms&max_duration=2s&start=-7d&end=2026-01-01T00%3A00%3A00Z&order=slowest&limit=20&cursor=abc&page=3&live=1&plot=heat";

  test("restores everything", () => {
    expect(searchUrl(parseSearch(new URLSearchParams(full.slice(8))))).toBe(full);
  });

  test("is empty for the empty form", () => {
    expect(searchUrl(EMPTY_QUERY)).toBe("/search");
    expect(searchParams(parseSearch(new URLSearchParams("order=wrong&status=wrong&limit=-1&page=x"))).toString()).toBe("");
  });

  test("becomes the API's question", () => {
    const params = apiParams({ ...EMPTY_QUERY, start: "-7d", minDuration: "1.5 s", maxDuration: "2min", live: true, page: 4, plot: "heat" });
    expect(params.toString()).toBe("min_duration=1.5s&max_duration=2m&start=-168h&order=newest&limit=50");
  });

  test("starts at the first page after a change", () => {
    const query = changed({ ...EMPTY_QUERY, cursor: "abc", page: 3 }, { status: "error" });
    expect([query.cursor, query.page, filterCount(query)]).toEqual(["", 1, 1]);
  });

  test("traces that arrive are held against the filters alone", () => {
    const query = parseSearch(new URLSearchParams("service=cart&attr=a=b&status=error&min_duration=10 ms&start=-1h&order=slowest&limit=20&cursor=x&page=2&live=1"));
    expect(String(tailParams(query))).toBe("service=cart&attr=a%3Db&status=error&min_duration=10ms");
  });

  test("fields say what is wrong", () => {
    expect([durationProblem(""), durationProblem("10ms"), attributeProblem("a=b"), attributeProblem("a=")]).toEqual([null, null, null, null]);
    expect(durationProblem("10")).toMatch(/unit/);
    expect(attributeProblem("=b")).toMatch(/key=value/);
  });
});

describe("the trace URL", () => {
  test("restores span, window, collapse and search", () => {
    const view = { part: null, selected: 3, absent: "", window: { start: 100, end: 500 }, collapse: { level: 1, services: new Set([2, 0]), folding: false, toggled: new Set([4]) }, find: "a b", onlyFound: true, clock: "aligned" as const, color: "error" as const, tab: { id: "flame" as const, group: "service", sort: "-total", cut: 12, focus: 1 }, changes: [{ kind: "batch" as const, value: 1000, find: "service:a name=b" }] };
    const params = viewParams(trace, view);
    expect(params.toString()).toBe("span=0000000000abc003&from=100&to=500&level=1&fold=0&closed=db&closed=web&toggled=0000000000abc004&find=a+b&only=1&color=error&clock=aligned&change=batch%3A1000%3Aservice%3Aa+name%3Db&view=flame&group=service&sort=-total&focus=0000000000abc001&cut=12");
    expect(parseView(trace, params)).toEqual(view);
  });

  test("is empty for the first view, and nonsense is ignored", () => {
    const first = parseView(trace, new URLSearchParams("span=zz&from=9&to=3&level=-1&toggled=1.2.3&view=none&focus=x&color=red&closed=nobody&change=faster"));
    expect(first).toEqual({ part: null, selected: -1, absent: "", window: null, clock: null, collapse: FIRST_COLLAPSE, find: "", onlyFound: false, color: "service", tab: FIRST_TAB, changes: [] });
    expect(viewParams(trace, first).toString()).toBe("");
  });
});

test("services keep their colour and share none while there are free ones", () => {
  const names = Array.from({ length: SLOT_COUNT }, (_, i) => `service-${i}`);
  expect(new Set(assignSlots(names).values()).size).toBe(SLOT_COUNT);
  expect(assignSlots(["cart"]).get("cart")).toBe(assignSlots(["cart", "cart"]).get("cart"));
  expect(assignSlots([...names, "one", "two"]).size).toBe(SLOT_COUNT + 2);
});
