// Times on other clocks, lanes and cuts, what is said of order, and what is odd about a clock.
import { describe, expect, test } from "vitest";
import { decodeClocks, type ClockSeries } from "../api/clocks.ts";
import { FLAG_NO_TIME, FLAG_STARTS_BEFORE_PARENT } from "../api/trace_columns.ts";
import { decodeCausalLine, decodeCone, decodeRelation } from "../api/order.ts";
import { alignedColumns, CAUSAL_SPANS_MAX, causalColumns, clockChoices, clockName, clockUrl, explainShift, formatStep, hasSteps, isBackwards, shiftOf, STEP, summarizeAlignment } from "./clock_choice.ts";
import { chartPaths, groupClocks, summarizeClock, thin } from "./clock_report.ts";
import { countFaulty, faultTexts } from "./fault_texts.ts";
import { flagTexts } from "./flag_texts.ts";
import { barMiddle, communicating, cutAt, laneAt, layoutLanes, spanStep } from "./lanes.ts";
import { becauseTitle, coneOfRows, EARLIER, groundsOf, LATER, relationSentence, SELF, TOGETHER, UNDECIDED } from "./relation_words.ts";
import { sampleTrace } from "./sample_trace.ts";
import { clockOf, parseView } from "./trace_view.ts";

const clock = (id: string, service: string | null, host: string | null, tagged = true) => ({ clock: id, service_name: service, service_instance_id: null, host_name: host, is_tagged: tagged });

/** The clock of `cart` is 1,000 ns behind, so that its raw spans start before they were called. */
const trace = sampleTrace(`
  web GET 1000+1000
    web call 1100+800
      cart serve 200+600
        cart query 300+100
        cart think 500+200
    web render 1950+40
`, {
  clocks: [clock("node-1", "web", "fra-1"), clock("node-2", "cart", "fra-2", false)], reference: 0, clock: [0, 0, 1, 1, 1, 0],
  aligned_start_ns: [1000, 1100, 1200, 1300, 1500, 1950], aligned_duration_ns: [1000, 800, 600, 100, 200, 40], half_width_ns: [0, 0, 90, 90, null, 0],
  faults: [0, 0, 0, 64, 0, 1], fault_counts: {},
  messages: { from: [1, 2], from_event: ["start", "end"], to: [2, 1], to_event: ["start", "end"], class: ["proven", "guessed"] },
});

describe("another clock", () => {
  test("moves spans and starts where its first one does", () => {
    const aligned = alignedColumns(trace);
    expect([...aligned.start]).toEqual([0, 100, 200, 300, 500, 950]);
    expect([aligned.extent, aligned.startUnixNano]).toEqual([1000, "1780000000000001000"]);
    expect(shiftOf(trace, 2)).toBe(1000);
  });

  test("is looked up in the time of the trace", () => {
    const params = new URL(clockUrl(trace, "node-1"), "http://here").searchParams;
    expect(params.get("q")).toBe("node-1");
    expect([params.get("start"), params.get("end")]).toEqual(["1779999700000000000", String(1780000300000000000n + BigInt(trace.extent))]);
  });

  test("says what moved, by how much and how well that is known", () => {
    expect(explainShift(trace, 2)).toBe("moved by +1 µs, known to ±90 ns; its clock node-2 of cart on fra-2");
    expect(explainShift(trace, 4)).toMatch(/nothing bounds/);
    expect(explainShift(trace, 0)).toMatch(/^not moved/);
    expect(clockName({ id: "clock-9", service: null, host: null, instance: null, tagged: false })).toBe("clock-9");
  });

  test("raw times contradict what is proven, aligned ones do not", () => {
    expect(summarizeAlignment(trace)).toEqual({ moved: 3, shiftMost: 1000, rowMost: 2, contradictions: 1, firstRow: 2 });
    expect([isBackwards(trace, trace, 0), isBackwards(trace, alignedColumns(trace), 0), isBackwards(trace, trace, 1)]).toEqual([true, false, false]);
  });

  test("the root keeps its duration on its own clock", () => {
    const aligned = alignedColumns(trace);
    expect(aligned.rootDuration).toBe(aligned.duration[trace.rootRow]);
    expect(alignedColumns({ ...trace, rootDuration: null }).rootDuration).toBe(null);
  });

  test("what is said of a flag is true of the times on show", () => {
    const text = (axis: "raw" | "aligned"): string => flagTexts(FLAG_STARTS_BEFORE_PARENT, axis)[0]?.text ?? "";
    expect(text("raw")).toMatch(/as they were sent\.$/);
    expect(text("aligned")).toMatch(/aligned to one clock/);
    expect(flagTexts(FLAG_NO_TIME, "aligned")).toEqual(flagTexts(FLAG_NO_TIME, "raw"));
  });

  test("counts steps in the causal order", () => {
    const ids = ["0", "1", "2", "2", "1", "0"].map((row) => `0000000000abc00${row}`);
    const columns = causalColumns(trace, decodeCausalLine({ span_id: ids, event: ["start", "start", "start", "end", "end", "end"] }));
    expect([columns.start[2], columns.duration[2], columns.extent]).toEqual([2 * STEP, STEP, 5 * STEP]);
    expect(columns.start[3]).toBeNaN();
    expect([formatStep(2 * STEP, STEP), formatStep(2.5 * STEP, 0.5 * STEP)]).toEqual(["step 3", ""]);
  });

  test("has steps up to a limit, counted over the whole trace", () => {
    expect([CAUSAL_SPANS_MAX, CAUSAL_SPANS_MAX + 1].map((totalRows) => hasSteps({ ...trace, totalRows }))).toEqual([true, false]);
  });

  test("is chosen in the URL, and raw where no order is known", () => {
    expect(parseView(trace, new URLSearchParams("clock=aligned&cut=17&view=space"))).toMatchObject({ clock: "aligned", tab: { id: "space", cut: 17 } });
    expect(parseView(trace, new URLSearchParams("clock=wrong&cut=-1"))).toMatchObject({ clock: null, tab: { cut: null } });
    expect([clockOf(trace, null), clockOf(trace, "raw"), clockOf(trace, "causal")]).toEqual(["aligned", "raw", "causal"]);
    expect(clockOf(sampleTrace("web GET 0+1"), "aligned")).toBe("raw");
    expect(["timeline", "flame"].map((tab) => clockChoices(tab).length)).toEqual([3, 2]);
  });
});

test("faults are said once, whether by flag or by fault", () => {
  expect(faultTexts(trace, 3).map((one) => one.title)).toEqual(["Start was backdated"]);
  expect(countFaulty(trace)).toBe(2);
  const twice = sampleTrace("web GET 0+1 duplicate", { clocks: [], reference: null, clock: [null], aligned_start_ns: [0], aligned_duration_ns: [1], half_width_ns: [null], faults: [1], messages: { from: [], from_event: [], to: [], to_event: [], class: [] } });
  expect(faultTexts(twice, 0)).toEqual([]);
});

describe("lanes", () => {
  const shown = alignedColumns(trace);
  const talks = communicating(trace);

  test("are one per clock, with sub-rows where spans overlap", () => {
    const layout = layoutLanes(shown, talks, "all", []);
    expect(layout.lanes.map((lane) => [lane.clock, [...lane.rows], lane.subRows.length, lane.folded])).toEqual([[0, [0, 1, 5], 2, 0], [1, [2, 3, 4], 2, 0]]);
    expect([...layout.subRow]).toEqual([0, 1, 0, 1, 1, 1]);
    expect(laneAt(layout, barMiddle(layout, 4))).toBe(1);
    expect([laneAt(layout, -1), laneAt(layout, layout.height)]).toEqual([-1, -1]);
  });

  test("fold local spans into the one above that stays", () => {
    const layout = layoutLanes(shown, talks, "fold", []);
    expect([...layout.folded]).toEqual([1, 0, 2, 0, 0, 0]);
    expect([...layout.subRow]).toEqual([0, 1, 0, -1, -1, -1]);
    expect(layoutLanes(shown, talks, "fold", [4]).subRow[4]).toBe(1);
    expect(layoutLanes(shown, talks, "", []).lanes.map((lane) => lane.folded)).toEqual([0, 0]);
  });

  test("are walked along and across", () => {
    const layout = layoutLanes(shown, talks, "all", []);
    expect([spanStep(layout, shown, 0, "right"), spanStep(layout, shown, 0, "left"), spanStep(layout, shown, 1, "down"), spanStep(layout, shown, 4, "up"), spanStep(layout, shown, -1, "up")]).toEqual([1, 0, 2, 1, 0]);
  });

  test("a cut tells what is open and whether it can have been", () => {
    expect(cutAt(shown, 350)).toEqual({ open: [0, 1, 2, 3], done: 0, ahead: 2, inFlight: 0, backwards: 0 });
    // On raw times the call arrives before it is sent.
    expect(cutAt(trace, 1050)).toMatchObject({ open: [0], backwards: 1 });
  });
});

describe("what is said of order", () => {
  test("the cone of a span, by row", () => {
    const ids = [0, 1, 2, 3, 4, 5].map((row) => `0000000000abc00${row}`);
    const cone = coneOfRows(trace, decodeCone({ span_id: ids, relation: ["inside", "same", "before", "after", "new word", "undecided"] }));
    expect([...cone.part]).toEqual([TOGETHER, SELF, LATER, EARLIER, UNDECIDED, UNDECIDED]);
    expect(cone.counts).toEqual([2, 1, 1, 1, 1]);
  });

  test("a relation, its grounds and its steps", () => {
    const event = (span: string, which: string) => ({ trace_id: "1", span_id: span, event: which });
    const found = decodeRelation({
      relation: "before", class: "bounded", margin_ns: 2_000_000, half_width_ns: 300_000, assumptions: { rho_ppm: 100, horizon_ns: 1e10, window_ns: 25e7, declared_clocks: 2 },
      because: [{ earlier: event("a", "end"), later: event("b", "start"), steps: [{ from: event("a", "end"), to: event("b", "start"), edge: "message", is_proof: true }] }],
    });
    expect(relationSentence(found.relation)).toBe("A ended before B started.");
    expect(groundsOf(found)).toMatch(/^Bounded: .*2 ms apart, the clocks are known to ±300 µs\. This assumes .* 100 ppm .*2 clocks are as near/);
    expect(becauseTitle(found.because[0] ?? { earlier: event("", "") as never, later: event("", "") as never, steps: [] }, (id) => id.toUpperCase())).toBe("end of A came before start of B");
    expect(() => decodeRelation({ relation: "before", class: "proven", because: [{}] })).toThrow(/because\[0\]/);
  });
});

describe("the report of a clock", () => {
  const series = (part: object): ClockSeries => {
    const answer = decodeClocks({
      reference: "node-0", assumptions: { rho_ppm: 100, horizon_ns: 1e10, window_ns: 25e7, declared_clocks: 2 }, pairs: [],
      clocks: [{
        ...clock("node-1", "cart", "fra-1"), granularity_ns: 1, rate_ppm: [-1, 2], steps: [], rejects: 0, messages: 3, window_start_unix_nano: [0, 25e7, 5e8, 75e7],
        lo_ns: [-100, -100, -100, -100], hi_ns: [300, 300, 300, 300], point_ns: [100, 100, 100, 120], state: ["two-sided", "two-sided", "two-sided", "two-sided"], ...part,
      }],
    });
    return answer.clocks[0] as ClockSeries;
  };
  const findings = (part: object): string[] => summarizeClock(series(part), "node-0").findings.map((one) => one.id);

  test("a healthy one has nothing to say", () => {
    const summary = summarizeClock(series({}), "node-0");
    expect([summary.offset, summary.halfWidth, summary.severity, summary.findings.length]).toEqual([120, 200, 0, 0]);
  });

  test("names each thing that is odd", () => {
    expect(findings({ steps: [[1e9, 2e9]] })).toEqual(["stepped"]);
    expect(findings({ state: ["two-sided", "inconsistent", "two-sided", "two-sided"] })).toEqual(["inconsistent"]);
    expect(findings({ point_ns: [0, 0, 0, -10_000_000] })).toEqual(["far"]);
    expect(findings({ point_ns: [0, 0, 0, -9_999_999] })).toEqual([]);
    // A wide interval of the rate that contains none is no drift.
    expect([findings({ rate_ppm: [140, 160] }), findings({ rate_ppm: [-300, 330] }), findings({ rate_ppm: null })]).toEqual([["drifting"], [], []]);
    expect(findings({ state: ["one-sided", "one-sided", "one-sided", "two-sided"], lo_ns: [null, null, null, -1], point_ns: [null, null, null, 1] })).toEqual(["oneSided"]);
    expect(findings({ granularity_ns: 1_000_000, rejects: 2, is_tagged: false })).toEqual(["rejected", "coarse", "untagged"]);
    expect(findings({ clock: "node-0", steps: [[1, 2]] })).toEqual([]);
  });

  test("puts the worst first and the unnamed last", () => {
    const all = [series({}), series({ clock: "node-2", service_name: "web", rejects: 1 }), series({ clock: "node-3", service_name: null, steps: [[1, 2]] }), series({ clock: "node-4", rejects: 9, steps: [[1, 2]] })].map((one) => summarizeClock(one, null));
    const ids = (sort: "worst" | "service", filter = "") => groupClocks(all, sort, filter).map((group) => group.clocks.map((one) => one.clock.id));
    expect(ids("worst")).toEqual([["node-4", "node-1"], ["node-2"], ["node-3"]]);
    expect(ids("service")).toEqual([["node-1", "node-4"], ["node-2"], ["node-3"]]);
    expect(ids("worst", "STEPPED cart")).toEqual([["node-4"]]);
    expect(ids("worst", "nothing")).toEqual([]);
  });

  test("is thinned without losing what is odd", () => {
    const thinned = thin(series({ hi_ns: [300, 900, 300, null], state: ["two-sided", "inconsistent", "two-sided", "one-sided"] }), 2);
    expect([thinned.columns, [...thinned.hi], [...thinned.state], thinned.low, thinned.high]).toEqual([2, [900, 300], [3, 1], -100, 900]);
    const paths = chartPaths(thin(series({ lo_ns: [-100, null, -100, -100], state: ["two-sided", "one-sided", "inconsistent", "two-sided"] }), 100), 300, 40);
    expect(paths.band.match(/M/g)).toHaveLength(2);
    expect(paths.oneSided).toMatch(/^M100\.0 /);
    expect(paths.bad).toEqual([[200, 75]]);
    expect(chartPaths(thin(series({ window_start_unix_nano: [], lo_ns: [], hi_ns: [], point_ns: [], state: [] }), 10), 300, 40)).toMatchObject({ band: "", point: "" });
  });
});

test("answers of the wrong shape are refused", () => {
  expect(() => sampleTrace("web GET 0+1", { clocks: [], clock: [] })).toThrow(/order\.clock/);
  const order = { clocks: [], reference: null, clock: [null], aligned_start_ns: [0], aligned_duration_ns: [1], half_width_ns: [null], faults: [0] };
  expect(() => sampleTrace("web GET 0+1", { ...order, messages: { from: [7], from_event: ["start"], to: [0], to_event: ["start"], class: ["proven"] } })).toThrow(/a row of the trace/);
  expect(() => sampleTrace("web GET 0+1", { ...order, messages: { from: [0], from_event: [], to: [0], to_event: ["start"], class: ["proven"] } })).toThrow(/one length/);
});
