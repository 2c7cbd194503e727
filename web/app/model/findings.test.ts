// Findings and critical paths: what is read, added up, marked and linked.
import { describe, expect, test } from "vitest";
import { decodeCriticalPath } from "../api/critical_path.ts";
import { decodeFindings, decodeGroup, decodeGroups } from "../api/findings.ts";
import { addedUp } from "./chart_lines.ts";
import { detectorWords } from "./detectors.ts";
import { EIGHT_FALLACIES, fallacyWords, standings } from "./fallacies.ts";
import { findingRows, isTraceId, traceAtFinding } from "./finding_rows.ts";
import { decisionText } from "./finding_states.ts";
import { findingsParams, findingsUrl, isNarrowed, overviewOf, parseFindingsQuery } from "./findings_query.ts";
import { findSpans } from "./find.ts";
import { parsePathGroup, pathPieces, pathRows, PIECE_SHARE_MIN, sureness } from "./path_summary.ts";
import { sampleTrace } from "./sample_trace.ts";

const HEAD = {
  group_key: "e61b", detector: "n_plus_one", fallacy: "latency_is_zero", severity: "high", title: "cart calls db 2 times", entry_service: "web", entry_operation: "GET /", wasted_ns: 70, saving_ns: 60,
  first_seen_unix_nano: 1_795_263_941_259_234_493, last_seen_unix_nano: 1_795_263_971_690_240_010,
};
const idOf = (row: number): string => (0xabc000 + row).toString(16).padStart(16, "0");
const FINDING = {
  ...HEAD, finding_id: "F1", trace_id: "1", parent_span_id: null, span_ids: [idOf(1), idOf(3), "ffffffffffffffff"], count: 2, critical_path_ns: 50,
  evidence: { seen: "seen", cost: "cost", remedy: "remedy", disproof: "disproof", calls: 2, source: null },
};
const TREND = { start_unix_nano: 5e18, step_ns: 2e9, findings: [1, 0, 2], saving_ns: [10, 0, 50] };
const GROUP = {
  ...HEAD, caller_service: "cart", callee_service: "", findings: 3, traces: 2, saving_median_ns: 20, example_traces: ["1", "2"], versions: { "2.0": 2, "": 1 }, state: "open", trend: TREND,
};

describe("what the server says", () => {
  test("findings keep their reasons apart from their figures", () => {
    const [one] = decodeFindings({ findings: [FINDING] });
    expect(one?.evidence).toEqual({ seen: "seen", cost: "cost", remedy: "remedy", disproof: "disproof", figures: { calls: 2, source: null } });
    expect(one?.lastSeenMillis).toBeCloseTo(1_795_263_971_690.24, 1);
  });

  test("a reason that is missing is empty, a severity that is unknown is the least", () => {
    const [one] = decodeFindings({ findings: [{ ...FINDING, severity: "grave", evidence: {} }] });
    expect([one?.severity, one?.evidence.cost]).toEqual(["low", ""]);
  });

  test("groups of a list have their call and their trend", () => {
    const [one] = decodeGroups({ groups: [GROUP], total: 1 }).groups;
    expect([one?.callerService, one?.calleeService, one?.trend.findings]).toEqual(["cart", "", [1, 0, 2]]);
    const { trend, ...timeless } = GROUP;
    expect(() => decodeGroups({ groups: [timeless], total: 1 })).toThrow("groups[0].trend");
    expect(trend).toEqual(TREND);
  });

  test("a trend of many steps becomes one of few with the same sum", () => {
    expect([addedUp([1, 2, 3, 4, 5], 3), addedUp([1, 2], 3), addedUp([], 3)]).toEqual([[3, 7, 5], [1, 2], []]);
  });

  test("what is not as agreed is refused by its place", () => {
    expect(() => decodeGroups({ groups: [{ ...GROUP, traces: "2" }], total: 1 })).toThrow("groups[0].traces should be a number");
    expect(() => decodeGroup({ ...GROUP, recent: [{ ...FINDING, span_ids: [7] }] })).toThrow("group.recent[0].span_ids[0] should be a string");
  });
});

describe("what people decide", () => {
  const decision = { state: "resolved", version: "2.1", changed_unix_nano: 3.6e18, found_in: ["2.0"] };
  const read = (more: object) => decodeGroup({ ...GROUP, recent: [], ...more });
  const NOW = 3.6e12 + 60_000;

  test("is nothing at first; versions and trend are read", () => {
    const group = read({});
    expect([group.state, group.decision, decisionText(group, NOW)]).toEqual(["open", null, "Nobody has decided about it."]);
    expect(group.versions).toEqual([["2.0", 2], ["", 1]]);
    expect(group.trend).toEqual({ startMillis: 5e12, stepMillis: 2000, findings: [1, 0, 2], savingNs: [10, 0, 50] });
  });

  test("is told with its version and age; a state of a newer server is open", () => {
    expect(decisionText(read({ state: "resolved", decision }), NOW)).toBe("Resolved in version 2.1 1 min ago. Found in another version, it counts as regressed.");
    expect(decisionText(read({ state: "regressed", decision }), NOW)).toBe("It was resolved in version 2.1 1 min ago, and has been found again since.");
    expect(decisionText(read({ state: "acknowledged", decision: { ...decision, version: undefined, note: "later" } }), NOW)).toBe("Somebody took note of it 1 min ago.");
    expect(read({ state: "snoozed" }).state).toBe("open");
  });

  test("what is resolved counts for no fallacy", () => {
    const { groups } = decodeGroups({ groups: [GROUP, { ...GROUP, state: "resolved", decision }], total: 2 });
    expect(standings(groups).get("latency_is_zero")?.total).toBe(1);
  });
});

describe("fallacies", () => {
  const groups = decodeGroups({ groups: [GROUP, { ...GROUP, severity: "low", saving_ns: 5 }, { ...GROUP, fallacy: "queues", severity: "medium" }], total: 3 }).groups;

  test("there are eight, and each stands as its groups do", () => {
    expect(new Set(EIGHT_FALLACIES.map((one) => one.id)).size).toBe(8);
    const all = standings(groups);
    expect(all.get("latency_is_zero")).toEqual({ counts: { high: 1, medium: 0, low: 1 }, total: 2, savingNs: 65 });
    expect(all.get("queues")?.counts.medium).toBe(1);
    expect(all.has("the_network_is_secure")).toBe(false);
  });

  test("words of newer servers are shown as words", () => {
    expect([fallacyWords("latency_is_zero").label, fallacyWords("time_is_money").label, detectorWords("retry_storm").label, detectorWords("").label]).toEqual(["Latency is zero", "Time is money", "Retry storm", ""]);
  });
});

describe("the address of the page", () => {
  test("holds the filters and nothing else", () => {
    const query = parseFindingsQuery(new URLSearchParams("severity=high&service=a%26b&fallacy=&start=-1h&state=regressed&other=1"));
    expect(findingsParams(query).get("state")).toBe("regressed");
    expect(findingsUrl(query)).toBe("/findings?service=a%26b&severity=high&start=-1h&state=regressed");
    expect(findingsUrl(overviewOf(query))).toBe("/findings?start=-1h");
    expect([isNarrowed(query), isNarrowed(overviewOf(query))]).toEqual([true, false]);
  });
});

describe("spans of a finding", () => {
  const trace = sampleTrace(`
    web GET 0+100
      db SELECT 10+10
      db COMMIT 20+10
      db SELECT 30+10
  `);
  const rows = findingRows(trace, decodeFindings({ findings: [FINDING, { ...FINDING, finding_id: "f2", span_ids: [idOf(2)] }] }));
  const found = (query: string): number[] => [...(findSpans(trace, query, new Map(), rows)?.rows ?? [])];

  test("are found by finding, group and detector; unknown ones are none", () => {
    expect(found("finding:F1")).toEqual([1, 3]);
    expect(found("finding:f2")).toEqual([2]);
    expect(found("finding:e61b")).toEqual([1, 2, 3]);
    expect(found("finding:n_plus_one name:select")).toEqual([1, 3]);
    expect(found("-finding:f1")).toEqual([0, 2]);
    expect(found("finding:other")).toEqual([]);
  });

  test("are linked by address", () => {
    expect([isTraceId("0".repeat(32)), isTraceId("0".repeat(31) + "1")]).toEqual([false, true]);
    expect(traceAtFinding("ab", "f1", idOf(1))).toBe("/trace/ab?span=0000000000abc001&find=finding%3Af1");
  });
});

const segment = (span_id: string, name: string, duration_ns: number, certainty = "measured") => ({ span_id, service_name: name.split(" ")[0], name, duration_ns, certainty });
const pathOf = (...segments: ReturnType<typeof segment>[]) =>
  decodeCriticalPath({ root_span_id: "a", duration_ns: segments.reduce((sum, one) => sum + one.duration_ns, 0), segments });

describe("critical path", () => {
  const path = pathOf(segment("a", "web GET", 100), segment("b", "db SELECT", 300, "bounded"), segment("c", "db SELECT", 400, "guessed"), segment("a", "web GET", 200));

  test("segments lie where those before them end", () => {
    expect(path.segments.map((one) => one.start)).toEqual([0, 100, 400, 800]);
    expect(decodeCriticalPath({ root_span_id: null, duration_ns: 0, segments: [] }).segments).toEqual([]);
    expect(pathOf(segment("a", "web GET", 1, "sure as can be")).segments[0]?.certainty).toBe("guessed");
  });

  test("adds up by operation, service and span, as sure as its least sure part", () => {
    const brief = (group: "operation" | "service" | "span" | "segment") => pathRows(path, group).map((one) => [one.label, one.duration, one.spans, one.certainty, one.spanId]);
    expect(brief("operation")).toEqual([["db SELECT", 700, 2, "guessed", "c"], ["web GET", 300, 1, "measured", "a"]]);
    expect(brief("service")).toEqual([["db", 700, 2, "guessed", "c"], ["web", 300, 1, "measured", "a"]]);
    expect(brief("span").map((one) => one[1])).toEqual([400, 300, 300]);
    expect(brief("segment").map((one) => one[1])).toEqual([100, 300, 400, 200]);
    expect(pathRows(path, "operation").reduce((sum, one) => sum + one.share, 0)).toBeCloseTo(1);
    expect(sureness(path)).toEqual({ measured: 300, bounded: 300, guessed: 400 });
  });

  test("a bar has few pieces however many segments there are, and covers the whole", () => {
    const many = pathOf(...Array.from({ length: 20_000 }, (_, i) => segment(String(i), `s${i % 3} op`, i === 9_999 ? 10_000 : 1, i === 5 ? "guessed" : "measured")));
    const pieces = pathPieces(many);
    // A narrow one may stay between two wide ones, so there are up to three for each that is wide enough.
    expect(pieces.length).toBeLessThanOrEqual(3 / PIECE_SHARE_MIN);
    expect(pieces.length).toBeGreaterThan(200);
    expect(pieces.reduce((sum, one) => sum + one.width, 0)).toBeCloseTo(1);
    expect(pieces.reduce((sum, one) => sum + one.segments, 0)).toBe(20_000);
    pieces.slice(1).forEach((one, i) => expect(one.start).toBeCloseTo((pieces[i]?.start ?? 0) + (pieces[i]?.width ?? 0)));
    expect(pieces.find((one) => one.segment.spanId === "9999")?.segments).toBe(1);
    expect(pathPieces(path).map((one) => one.segment.spanId)).toEqual(["a", "b", "c", "a"]);
  });

  test("the choice of the tab is a word", () => {
    expect(["", "span", "segment", "nonsense"].map(parsePathGroup)).toEqual(["operation", "span", "segment", "operation"]);
  });
});
