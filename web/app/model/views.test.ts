// The models behind the views of a trace: statistics, flame graph, call graph and its layout, span table.
import { describe, expect, test } from "vitest";
import { attributeColumn } from "../api/trace_attributes.ts";
import { buildCallGraph, GRAPH_NODES_MAX } from "./call_graph.ts";
import { changeOf, compareTraces, delta, pathTree, sortPaths } from "./compare.ts";
import { findSpans } from "./find.ts";
import { buildFlame, flameStep, frameAt, pathOf } from "./flame.ts";
import { backLinks, layOutGraph } from "./graph_layout.ts";
import { findFolds, summarizeRun } from "./folds.ts";
import { heatLimits, rowColors } from "./row_colors.ts";
import { sampleTrace } from "./sample_trace.ts";
import { selfTimes } from "./span_row.ts";
import { sortSpans } from "./span_sort.ts";
import { exactTerm, groupBy, groupByAttribute, percentile, sortGroups, statistics } from "./statistics.ts";
import { FIRST_COLLAPSE, foldedRun, NOTHING_COLLAPSED, reveal, toggleRow, visibleRows } from "./visible_rows.ts";

const trace = sampleTrace(`
  web GET 0+1000
    cart read 100+300
      db SELECT 150+50
      db SELECT 180+60 error
    cart write 500+400
      db SELECT 600+100
  x lost 0+0 missing
    mail send 700+20
    mail late 0+0 timeless
`);
const self = selfTimes(trace);
const rowsOf = (text: string) => sampleTrace(text);

describe("statistics", () => {
  const of = (choice: string, mask: Uint8Array | null = null) => statistics(trace, self, groupBy(trace, choice), mask);

  test("add up by operation", () => {
    const select = of("operation").find((one) => one.label === "SELECT");
    expect(select).toMatchObject({ count: 3, errors: 1, total: 210, self: 210, p50: 60, p95: 100, max: 100, term: "service=db name=SELECT" });
    expect(of("operation").map((one) => one.label)).toEqual(["GET", "read", "SELECT", "write", "send", "late"]);
  });

  test("count every span once and leave placeholders out", () => {
    for (const choice of ["operation", "service", "kind", "status"]) {
      expect(of(choice).reduce((sum, one) => sum + one.count, 0), choice).toBe(8);
    }
  });

  test("the self times of all groups are those of the spans", () => {
    expect(of("service").map((one) => [one.label, one.total, one.self])).toEqual([["web", 1000, 300], ["cart", 700, 510], ["db", 210, 210], ["mail", 20, 20]]);
  });

  test("say nothing about durations where there are none", () => {
    const late = of("operation").find((one) => one.label === "late");
    expect(late).toMatchObject({ count: 1, total: 0, self: 0, p50: Number.NaN, max: Number.NaN });
  });

  test("keep to what the search finds", () => {
    const mask = findSpans(trace, "service:db status:error")?.mask ?? null;
    expect(of("service", mask)).toMatchObject([{ label: "db", count: 1, total: 60 }]);
  });

  test("each group's term finds exactly its spans", () => {
    const whole = rowsOf(`
      web GET 0+10
        web-shop GET 1+2 error
        web GETALL 1+1
          web GET 1+1
    `);
    for (const choice of ["operation", "service", "kind", "status"]) {
      for (const one of statistics(whole, selfTimes(whole), groupBy(whole, choice), null)) expect(findSpans(whole, one.term)?.rows.length, one.term).toBe(one.count);
    }
  });

  test("find the spans without a service by the empty name", () => {
    const nameless = { ...trace, service: trace.service.map((service, row) => (row === 5 ? -1 : service)) };
    const group = statistics(nameless, self, groupBy(nameless, "service"), null).find((one) => one.label === "");
    expect([group?.count, group?.term, ...(findSpans(nameless, group?.term ?? "")?.rows ?? [])]).toEqual([1, 'service=""', 5]);
  });

  test("group by an attribute, with what lacks it", () => {
    const column = attributeColumn(trace, "peer", (id) => (id.endsWith("2") ? "a b" : id.endsWith("5") ? 7 : null));
    const groups = statistics(trace, self, groupByAttribute(trace, column), null);
    expect(groups.map((one) => [one.label, one.count, one.term])).toEqual([["(not set)", 6, "-@peer"], ["a b", 1, '@peer="a b"'], ["7", 1, "@peer=7"]]);
  });

  test("sort by any column, missing values last", () => {
    const labels = (sort: string): string[] => sortGroups(of("operation"), sort).map((one) => one.label);
    expect(labels("-total")).toEqual(["GET", "write", "read", "SELECT", "send", "late"]);
    expect(labels("label")).toEqual(["GET", "late", "read", "SELECT", "send", "write"]);
    expect([labels("p50").at(-1), labels("-p50").at(-1)]).toEqual(["late", "late"]);
  });

  test("percentiles are values that occurred", () => {
    expect([0, 0.5, 0.95, 1].map((share) => percentile(Float64Array.of(1, 2, 3, 4), share))).toEqual([1, 2, 4, 4]);
    expect(percentile(new Float64Array(), 0.5)).toBeNaN();
  });

  test("terms survive blanks and quotes", () => {
    expect([exactTerm("name", "a b"), exactTerm("name", 'say "hi"'), exactTerm("name", "")]).toEqual(['name="a b"', 'name="say hi"', 'name=""']);
  });
});

describe("the flame graph", () => {
  const flame = buildFlame(trace, self);
  const label = (frame: number): string => trace.names[trace.name[flame.row[frame] ?? -1] ?? -1] ?? "all";

  test("merges spans with the same path", () => {
    expect([...flame.row.keys()].map((frame) => `${flame.depth[frame]} ${label(frame)} ${flame.spans[frame]} ${flame.total[frame]}`)).toEqual([
      "0 all 0 1040", "1 GET 1 1020", "2 read 1 320", "3 SELECT 2 110", "2 write 1 400", "3 SELECT 1 100", "1 lost 0 20", "2 send 1 20", "2 late 1 0",
    ]);
    expect([flame.errors[3], flame.errors[5], flame.depthMax]).toEqual([1, 0, 3]);
  });

  test("frames of one depth do not overlap and lie within their parents", () => {
    for (const level of flame.levels) {
      let reached = 0;
      for (const frame of level) {
        const above = flame.parent[frame] ?? -1;
        const end = (flame.start[frame] ?? 0) + (flame.total[frame] ?? 0);
        expect(flame.start[frame]).toBeGreaterThanOrEqual(reached);
        if (above >= 0) expect(end).toBeLessThanOrEqual((flame.start[above] ?? 0) + (flame.total[above] ?? 0));
        reached = end;
      }
    }
  });

  test("finds the frame at a place", () => {
    expect([[0, 500], [1, 500], [2, 0], [2, 399], [2, 400], [2, 719], [2, 720], [1, 1030], [3, 1030], [9, 0]].map(([depth, place]) => label(frameAt(flame, depth ?? 0, place ?? 0)))).toEqual([
      "all", "GET", "write", "write", "read", "read", "all", "lost", "all", "all",
    ]);
    expect(frameAt(flame, 2, 720)).toBe(-1);
  });

  test("is walked by arrows", () => {
    expect([flameStep(flame, 1, "child"), flameStep(flame, 4, "right"), flameStep(flame, 2, "left"), flameStep(flame, 3, "child"), flameStep(flame, 2, "parent"), flameStep(flame, 0, "parent")]).toEqual([4, 2, 4, 3, 1, 0]);
    expect(pathOf(flame, 3)).toEqual([1, 2, 3]);
  });

  test("of a very deep trace is built without recursion", () => {
    const deep = buildFlame(rowsOf(Array.from({ length: 3000 }, (_, i) => `${"  ".repeat(i)}a n${i} 0+${3000 - i}`).join("\n")), new Float64Array(3000).fill(1));
    expect([deep.depthMax, deep.total[0]]).toEqual([3000, 3000]);
  });
});

describe("the call graph", () => {
  test("counts calls between services, and those inside", () => {
    const { nodes, edges } = buildCallGraph(trace, self, "service");
    expect(nodes.map((one) => [one.label, one.spans, one.errors, one.self, one.inside])).toEqual([["web", 1, 0, 300, 0], ["cart", 2, 0, 510, 0], ["db", 3, 1, 210, 0], ["mail", 2, 0, 20, 0]]);
    expect(edges).toEqual([{ from: 0, to: 1, calls: 2, errors: 0, total: 700 }, { from: 1, to: 2, calls: 3, errors: 1, total: 210 }]);
  });

  test("takes operations as nodes, and looks through missing spans", () => {
    const other = rowsOf(`
      web GET 0+10
        x lost 0+0 missing
          db SELECT 1+2
        web render 5+2
    `);
    const graph = buildCallGraph(other, selfTimes(other), "operation");
    expect(graph.nodes.map((one) => one.label)).toEqual(["GET", "SELECT", "render"]);
    expect(graph.edges.map((one) => [one.from, one.to])).toEqual([[0, 1], [0, 2]]);
    expect(buildCallGraph(other, selfTimes(other), "service").nodes[0]?.inside).toBe(1);
  });

  test("leaves the least important nodes off when there are too many", () => {
    const many = rowsOf(["a n 0+9999", ...Array.from({ length: GRAPH_NODES_MAX + 9 }, (_, i) => `  s${i} n ${i}+${i + 1}`)].join("\n"));
    const graph = buildCallGraph(many, selfTimes(many), "service");
    expect([graph.nodes.length, graph.nodesLeftOff]).toEqual([GRAPH_NODES_MAX, 10]);
    expect(graph.edges.every((one) => one.from < GRAPH_NODES_MAX && one.to < GRAPH_NODES_MAX)).toBe(true);
  });
});

describe("the graph layout", () => {
  const links = (...pairs: [number, number][]) => pairs.map(([from, to]) => ({ from, to }));

  test("puts callees right of their callers", () => {
    const placed = layOutGraph(4, links([0, 1], [1, 2], [0, 2], [2, 3]));
    expect([...placed.layer]).toEqual([0, 1, 2, 3]);
  });

  test("gives long links a place of their own in the layers between", () => {
    const placed = layOutGraph(4, links([0, 1], [1, 2], [0, 2], [2, 0]));
    expect([placed.bends.map((one) => one.length), [...placed.back]]).toEqual([[0, 0, 1, 1], [0, 0, 0, 1]]);
    expect(new Set([placed.place[1], ...placed.bends.flat()]).size).toBe(3);
  });

  test("turns cycles and loops instead of following them", () => {
    expect([...backLinks(3, links([0, 1], [1, 2], [2, 0], [1, 1]))]).toEqual([0, 0, 1, 1]);
    const placed = layOutGraph(3, links([0, 1], [1, 2], [2, 0], [1, 1]));
    expect([[...placed.layer], placed.layers]).toEqual([[0, 1, 2], 3]);
  });

  test("never puts two nodes on one place, and uncrosses what it can", () => {
    const crossed = links([0, 3], [1, 2]);
    const placed = layOutGraph(4, crossed);
    expect(new Set([...placed.layer].map((layer, node) => `${layer} ${placed.place[node]}`)).size).toBe(4);
    const [a = 0, b = 0, c = 0, d = 0] = placed.place;
    expect((a - b) * (d - c)).toBeGreaterThan(0);
  });

  test("of nothing is nothing", () => {
    expect(layOutGraph(0, [])).toMatchObject({ layers: 0, tallest: 0 });
  });
});

describe("two traces", () => {
  const before = rowsOf(`
    web GET 0+100
      db SELECT 10+20
      cart read 40+10
  `);
  const after = rowsOf(`
    web GET 0+300
      db SELECT 10+20
      db SELECT 40+30 error
      mail send 100+100
  `);
  const both = compareTraces(before, after);
  const label = (path: number): string => both.names[path] ?? "";

  test("are set against each other path by path", () => {
    const rows = [...both.parent.keys()].map((path) => `${both.depth[path]} ${label(path)} ${both.calls.a[path]}-${both.calls.b[path]} ${both.self.a[path]}-${both.self.b[path]} ${changeOf(both, path)}`);
    expect(rows).toEqual(["0 GET 1-1 70-150 slower", "1 SELECT 1-2 20-50 more_calls", "1 read 1-0 10-0 only_a", "1 send 0-1 0-100 only_b"]);
    expect([both.errors.b[1], both.rowA[3], both.rowB[2]]).toEqual([1, -1, -1]);
  });

  test("differ most where the list begins", () => {
    expect([...sortPaths(both, "-difference", "different")].map(label)).toEqual(["send", "GET", "SELECT", "read"]);
    expect([...sortPaths(both, "name", "all")].map(label)).toEqual(["GET", "read", "SELECT", "send"]);
    expect([...sortPaths(both, "-a", "all")].map(label)).toEqual(["GET", "SELECT", "read", "send"]);
  });

  test("have differences that add up to the whole", () => {
    const sum = [...both.parent.keys()].reduce((all, path) => all + delta(both.self, path), 0);
    expect(sum).toBe(delta(both.total, 0));
  });

  test("are a tree with the child first that differs most", () => {
    expect([...pathTree(both)].map(label)).toEqual(["GET", "send", "SELECT", "read"]);
  });

  test("that are one and the same do not differ", () => {
    const same = compareTraces(before, before);
    expect([sortPaths(same, "-difference", "different").length, sortPaths(same, "-difference", "all").length]).toEqual([0, 3]);
    expect(changeOf(same, 0)).toBe("same");
  });
});

describe("folds", () => {
  const calls = (count: number, name: string): string => Array.from({ length: count }, (_, i) => `  db ${name} ${i * 10}+${i + 1}`).join("\n");
  const run = rowsOf(`web GET 0+100\n${calls(5, "A")}\n${calls(4, "B")}\n${calls(6, "A")}\n    x inner 0+1\n  x lost 0+0 missing`);
  const folds = findFolds(run);

  test("are runs of at least five leaves of one kind", () => {
    expect([...folds.length]).toEqual([0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0]);
    expect([folds.count, folds.first[5], folds.first[6], folds.first[14], folds.first[15]]).toEqual([2, 1, 6, 10, 15]);
  });

  test("are one row until opened, and open to show one of theirs", () => {
    expect([...visibleRows(run, folds, FIRST_COLLAPSE)]).toEqual([0, 1, 6, 7, 8, 9, 10, 15, 16, 17]);
    expect([...visibleRows(run, folds, reveal(run, folds, FIRST_COLLAPSE, 3))]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 16, 17]);
    expect(reveal(run, folds, FIRST_COLLAPSE, 1)).toBe(FIRST_COLLAPSE);
    expect([foldedRun(folds, FIRST_COLLAPSE, 1), foldedRun(folds, NOTHING_COLLAPSED, 1), foldedRun(folds, toggleRow(FIRST_COLLAPSE, 1), 1)]).toEqual([5, 0, 0]);
  });

  test("are of calls that take turns, too, each kind a row of its own", () => {
    const turns = (count: number): string => Array.from({ length: count }, (_, i) => `  db ${"AB"[i % 2]} ${i * 10}+${i + 1}`).join("\n");
    const loop = rowsOf(`web GET 0+200\n${turns(11)}\n  db C 150+5`);
    const found = findFolds(loop);
    expect([found.count, found.length[1], found.length[2], found.stride[1], found.stride[2]]).toEqual([2, 6, 5, 2, 2]);
    expect([...visibleRows(loop, found, FIRST_COLLAPSE)]).toEqual([0, 1, 2, 12]);
    // One kind opens without the other, and a later call opens its own kind.
    expect([...visibleRows(loop, found, toggleRow(FIRST_COLLAPSE, 2))]).toEqual([0, 1, 2, 4, 6, 8, 10, 12]);
    expect(reveal(loop, found, FIRST_COLLAPSE, 5)).toEqual(toggleRow(FIRST_COLLAPSE, 1));
    expect(summarizeRun(loop, 2, 5, 2)).toMatchObject({ count: 5, total: 2 + 4 + 6 + 8 + 10, start: 10, end: 100 });
    expect(findFolds(rowsOf(`web GET 0+200\n${turns(9)}`)).count).toBe(0);
  });

  test("say how many, how long, how far apart and how many at once", () => {
    const some = rowsOf("a n 0+10\na n 5+20 error\na n 25+5\na n 40+5\na n 0+0 timeless");
    expect(summarizeRun(some, 0, 5)).toEqual({ count: 5, errors: 1, total: 40, shortest: 5, median: 5, longest: 20, start: 0, end: 45, together: 2 });
    expect(summarizeRun(rowsOf("a n 0+0 timeless"), 0, 1)).toMatchObject({ total: 0, start: Number.NaN, together: 0 });
  });
});

test("colours tell services, durations by half powers of ten, or errors and what led to them", () => {
  const slots = Uint8Array.of(7, 3, 5, 2, 1);
  expect([...rowColors(trace, slots, "service")]).toEqual([7, 3, 5, 5, 3, 5, 2, 1, 1]);
  expect([...rowColors(trace, slots, "error")]).toEqual([1, 1, 0, 2, 0, 0, 0, 0, 0]);
  expect([...rowColors(trace, slots, "duration")]).toEqual([5, 4, 3, 3, 5, 4, 0, 2, 0]);
  expect(heatLimits(1000).map(Math.round)).toEqual([0, 3, 10, 32, 100, 316].map((one, i) => (i === 0 ? 0 : one)));
});

test("the span table sorts numbers, names and missing values", () => {
  const names = (sort: string, find = ""): string[] => [...sortSpans(trace, self, findSpans(trace, find)?.mask ?? null, sort)].map((row) => trace.names[trace.name[row] ?? -1] ?? "");
  expect(names("-duration")).toEqual(["GET", "write", "read", "SELECT", "SELECT", "SELECT", "send", "late"]);
  expect(names("duration").at(-1)).toBe("late");
  expect(names("name", "service:cart")).toEqual(["read", "write"]);
  expect(names("-name", "service:cart")).toEqual(["write", "read"]);
  expect(names("nonsense")[0]).toBe("GET");
});
