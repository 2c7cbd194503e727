// The services pages: answers, addresses, steps, rates, and a map that is the same at each visit.
import { describe, expect, test } from "vitest";
import { decodeGraph, decodeRed } from "../api/services.ts";
import type { FindingGroup } from "../api/findings.ts";
import { drawColumn } from "./graph_drawing.ts";
import { apart } from "./chart_lines.ts";
import {
  askedSeconds, buildMap, errorShare, everyStep, findingsBetween, findingsOf, formatRate, formatShare, graphSeconds, MAP_NODES_MAX, networkShare, parseServicesQuery, redParams, serviceUrl, servicesUrl, sortRed, stepOf, timeBetween, timeParams, tracesUrl,
} from "./services_view.ts";

const red = (requests: number, errors = 0, p = 1e6) => ({ requests, errors, p50_ns: p, p95_ns: p * 2, p99_ns: p * 3 });
const edge = (caller: string, callee: string, calls = 10) => ({ caller, callee, calls, errors: 1, p50_ns: 4e6, p95_ns: 5e6, p99_ns: 6e6, network_p50_ns: 1e6 });
const GRAPH = {
  start_unix_nano: "1795263000000000000", end_unix_nano: "1795266600000000000", share: 0.25,
  nodes: [{ service: "web", ...red(3600) }, { service: "cart", ...red(36, 9) }, { service: "db", requests: 0, errors: 0, p50_ns: null, p95_ns: null, p99_ns: null }],
  edges: [edge("web", "cart"), edge("cart", "db"), edge("db", "cart"), edge("cart", "cart"), { ...edge("web", "unseen"), network_p50_ns: null }],
};

test("a stretch of time is told in whole seconds, a second at least", () => {
  const at = Date.UTC(2026, 0, 2, 3, 4, 5);
  expect(timeBetween(at + 900, at + 2001)).toEqual({ start: "2026-01-02T03:04:05Z", end: "2026-01-02T03:04:08Z" });
  expect(timeBetween(at, at)).toEqual({ start: "2026-01-02T03:04:05Z", end: "2026-01-02T03:04:06Z" });
  expect(askedSeconds(timeBetween(at, at + 60_000), 0)).toBe(60);
});

describe("answers", () => {
  test("a graph has its time, share and numbers", () => {
    const graph = decodeGraph(GRAPH);
    expect([graph.share, graphSeconds(graph), graph.nodes.length, graph.edges[0]?.requests]).toEqual([0.25, 900, 3, 10]);
    expect([graph.nodes[2]?.p50, graph.edges[4]?.networkP50].every(Number.isNaN)).toBe(true);
    expect(() => decodeGraph({ ...GRAPH, share: "all" })).toThrow(/share should be a number/);
  });

  test("a series has points with exemplars, and operations only when no operation was asked for", () => {
    const point = { start_unix_nano: "1795263000000000000", ...red(1), exemplar: { trace_id: "ab", span_id: "cd", duration_ns: 7, is_error: true } };
    const series = decodeRed({ step_ns: 30e9, total: red(2), points: [point, { ...point, exemplar: null }], operations: [{ name: "GET /", ...red(2) }] });
    expect(series.points.map((one) => one.exemplar?.durationNs)).toEqual([7, undefined]);
    expect(series.points[0]?.exemplar?.isError).toBe(true);
    expect(series.operations.map((one) => [one.name, one.p99])).toEqual([["GET /", 3e6]]);
    expect(decodeRed({ step_ns: 1, total: red(0), points: [] }).operations).toEqual([]);
  });
});

test("steps that the answer leaves out are there, without calls", () => {
  const point = (start: number) => ({ start_unix_nano: String(start), ...red(1), exemplar: null });
  const series = decodeRed({ step_ns: 10, total: red(3), points: [point(100), point(110), point(140)] });
  const steps = (time: readonly [number, number] | null, change = {}): unknown[] => everyStep({ ...series, ...change }, time).map((one) => [one.startUnixNano, one.requests]);
  const gaps = [["100", 1], ["110", 1], ["120", 0], ["130", 0], ["140", 1]];
  expect([steps(null), steps([5, 6]), steps([0, 0])]).toEqual([gaps, gaps, gaps]);
  expect([steps(null, { points: [] }), steps([0, 0], { points: [] }), steps([0, 1e6])].map((one) => one.length)).toEqual([0, 1, 3]);
  const minutes = { step_ns: 60e9, total: red(0), points: [] };
  expect(everyStep(decodeRed(minutes), [0, 180_000]).map((one) => one.startUnixNano)).toEqual(["0", "60000000000", "120000000000", "180000000000"]);
});

describe("addresses", () => {
  const usual = parseServicesQuery(new URLSearchParams());

  test("restore the view, and names of any kind survive them", () => {
    const query = parseServicesQuery(new URLSearchParams("start=-6h&end=2026-11-20T00:00:00Z&view=map&q=ca&sort=-p95"));
    expect(parseServicesQuery(new URL(servicesUrl(query), "http://x").searchParams)).toEqual(query);
    expect([servicesUrl(usual), serviceUrl(usual, "a/b c"), serviceUrl(query, "cart", "GET /x?y#z%")]).toEqual([
      "/services", "/services/a%2Fb%20c", "/services/cart/GET%20%2Fx%3Fy%23z%25?start=-6h&end=2026-11-20T00%3A00%3A00Z",
    ]);
    expect([tracesUrl(usual, "cart"), tracesUrl({ ...usual, start: "-168h" }, "cart", "GET /")]).toEqual(["/search?service=cart&start=-1h", "/search?service=cart&operation=GET+%2F&start=-7d"]);
    expect(parseServicesQuery(new URLSearchParams("view=nonsense&start="))).toEqual(usual);
  });

  test("ask the server for a round step", () => {
    expect([60, 900, 3600, 21_600, 86_400, 604_800, 1e9].map(stepOf)).toEqual(["1s", "10s", "1m", "5m", "15m", "3h", "24h"]);
    expect(String(redParams(usual, "cart", "GET /", 0))).toBe("start=-1h&service=cart&operation=GET+%2F&step=1m");
    expect(String(timeParams({ ...usual, end: "-5m" }))).toBe("start=-1h&end=-5m");
    const now = Date.parse("2026-11-20T12:00:00Z");
    expect([askedSeconds({ start: "-15m", end: "" }, now), askedSeconds({ start: "2026-11-20T11:00:00Z", end: "2026-11-20T11:30:00Z" }, now), askedSeconds({ start: "soon", end: "" }, now), askedSeconds({ start: "-1h", end: "-2h" }, now)]).toEqual([900, 1800, null, null]);
  });
});

test("rates and shares are told in digits that mean something", () => {
  expect([[3600, 3600], [90, 3600], [3, 3600], [0, 60], [123_456, 10], [1, 86_400]].map(([count = 0, seconds = 1]) => formatRate(count, seconds))).toEqual(["1/s", "1.5/min", "3/h", "0/s", "12,346/s", "0.042/h"]);
  expect([0, 0.0001, 0.004, 0.123, 1].map(formatShare)).toEqual(["0", "< 0.1 %", "0.4 %", "12 %", "100 %"]);
  expect([errorShare(decodeGraph(GRAPH).nodes[1]!), networkShare(decodeGraph(GRAPH).edges[0]!), networkShare(decodeGraph(GRAPH).edges[4]!), networkShare({ p50: 5, networkP50: -1 })]).toEqual([0.25, 0.2, Number.NaN, 0]);
});

describe("the map", () => {
  test("is the same whatever order the answer has", () => {
    const one = buildMap(decodeGraph(GRAPH));
    const other = buildMap(decodeGraph({ ...GRAPH, nodes: GRAPH.nodes.toReversed(), edges: GRAPH.edges.toReversed() }));
    expect(other).toEqual(one);
    expect(one.nodes.map((node) => node.service)).toEqual(["web", "cart", "db", "unseen"]);
  });

  test("does not move when only numbers change", () => {
    const busy = GRAPH.nodes.map((node, i) => ({ ...node, requests: i * 1000 }));
    expect(buildMap(decodeGraph({ ...GRAPH, nodes: busy })).placed).toEqual(buildMap(decodeGraph(GRAPH)).placed);
  });

  test("has callers left of callees, and a call back is one", () => {
    const { nodes, edges, placed } = buildMap(decodeGraph(GRAPH));
    expect(nodes.map((_, at) => placed.layer[at])).toEqual([0, 1, 2, 1]);
    expect(edges.filter((_, at) => placed.back[at] === 1).map((one) => [one.caller, one.callee])).toEqual([["db", "cart"]]);
  });

  test("leaves off the quietest of too many", () => {
    const nodes = Array.from({ length: MAP_NODES_MAX + 5 }, (_, i) => ({ service: `s${i}`, ...red(i) }));
    const map = buildMap(decodeGraph({ ...GRAPH, nodes, edges: [] }));
    expect([map.nodes.length, map.nodesLeftOff, map.nodes.some((one) => one.service === "s0")]).toEqual([MAP_NODES_MAX, 5, false]);
  });
});

test("findings belong to the services of their call, or to where they were entered", () => {
  const group = (callerService: string, calleeService: string): FindingGroup => ({ callerService, calleeService, entryService: "gateway" }) as FindingGroup;
  const groups = [group("gateway", "payment"), group("payment", "gateway"), group("", "payment"), group("", "")];
  const places = (some: readonly FindingGroup[]): number[] => some.map((one) => groups.indexOf(one));
  expect(["gateway", "payment", "", "pay"].map((one) => places(findingsOf(groups, one)))).toEqual([[0, 1, 3], [0, 1, 2], [], []]);
  expect([places(findingsBetween(groups, "gateway", "payment")), places(findingsBetween(groups, "payment", "gateway"))]).toEqual([[0], [1]]);
});

test("of places on a chart that would overlap the most important stay", () => {
  const at = (x: number, y = 0) => ({ x, y });
  expect(apart([at(50), at(40), at(60, 25), at(26), at(62, 40)], 24)).toEqual([at(50), at(60, 25), at(26)]);
  expect(apart([at(1), at(1)], 24)).toEqual([at(1)]);
});

test("rows are sorted, those without a number last either way", () => {
  const rows = decodeGraph(GRAPH).nodes.map((node) => ({ ...node, name: node.service, findings: 0, network: Number.NaN }));
  const names = (sort: string): string[] => sortRed(rows, sort).map((one) => one.name);
  expect([names("-requests"), names("p50"), names("-p50"), names("name"), names("-errors")]).toEqual([["web", "cart", "db"], ["cart", "web", "db"], ["cart", "web", "db"], ["cart", "db", "web"], ["cart", "db", "web"]]);
});

describe("a map on a narrow screen", () => {
  const map = buildMap(decodeGraph(GRAPH));
  const drawing = drawColumn(map.nodes.length, map.edges, map.placed, 340);

  test("has all boxes below each other, callers first", () => {
    const order = drawing.corners.map(({ y }, node) => ({ y, node })).sort((a, b) => a.y - b.y).map(({ node }) => map.placed.layer[node] ?? 0);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    expect(new Set(drawing.corners.map(({ x }) => x)).size).toBe(1);
    expect(new Set(drawing.corners.map(({ y }) => y)).size).toBe(map.nodes.length);
  });

  test("keeps its arrows within its width", () => {
    for (const { path } of drawing.routes) {
      const [x0 = 0, , reach = 0] = (path.match(/-?[\d.]+/g) ?? []).map(Number);
      expect(x0 + (reach - x0) * 0.75).toBeLessThanOrEqual(340);
    }
  });
});
