// Parts of a trace too large for one answer: their names, their windows on other axes, and what the address keeps.
import { describe, expect, test } from "vitest";
import { partCondition } from "../api/trace_attributes.ts";
import { isPartial, type TraceColumns } from "../api/trace_columns.ts";
import { alignedColumns, causalColumns } from "./clock_choice.ts";
import { findSpans } from "./find.ts";
import { findFolds } from "./folds.ts";
import { sampleTrace } from "./sample_trace.ts";
import { isSamePart, parsePart, partOf, partOfRow, partSentence, partText, rawWindow, windowOfPart } from "./trace_part.ts";
import { parseView, viewParams } from "./trace_view.ts";

const TEXT = `
  web GET 0+10000
    cart read 1000+3000
    cart late 6000+1000
`;
const ZERO = 1_780_000_000_000_000_000n;

/** The same trace as a part of one of 90 rows; the second row has left out some. */
function partial(trace: TraceColumns): TraceColumns {
  return { ...trace, totalRows: 90, hidden: Int32Array.from(trace.hidden, (_, row) => (row === 1 ? 40 : 0)) };
}

const clock = (id: string) => ({ clock: id, service_name: id, service_instance_id: null, host_name: null, is_tagged: true });

/** The clock of `cart` is 500 ns ahead, so its rows move back. */
const skewed = partial(sampleTrace(TEXT, {
  clocks: [clock("web"), clock("cart")], reference: 0, clock: [0, 1, 1], aligned_start_ns: [0, 500, 5500], aligned_duration_ns: [10000, 3000, 1000], half_width_ns: [0, 0, 0], faults: [0, 0, 0],
  messages: { from: [], from_event: [], to: [], to_event: [], class: [] },
}));

describe("the name of a part", () => {
  test("is read back", () => {
    const part = { start: "1780000000000000100", end: "1780000000000000900" };
    expect(parsePart(partText(part))).toEqual(part);
    expect(partText(null)).toBe("");
  });

  test.each(["", "5", "5-", "-5", "9-9", "9-3", "1-2-3", "a-b", "1-99999999999999999999"])("is not %j", (text) => {
    expect(parsePart(text)).toBeNull();
  });

  test("keeps nanoseconds and is never without length", () => {
    const trace = sampleTrace(TEXT);
    expect(partOf(trace, { start: 100.7, end: 900.2 })).toEqual({ start: String(ZERO + 100n), end: String(ZERO + 901n) });
    expect(partOf(trace, { start: 5, end: 5 })).toEqual({ start: String(ZERO + 5n), end: String(ZERO + 6n) });
    expect(windowOfPart(trace, partOf(trace, { start: 100, end: 900 }))).toEqual({ start: 100, end: 900 });
  });

  test("is the same as another that is hardly wider", () => {
    const part = (start: number, end: number) => partOf(sampleTrace(TEXT), { start, end });
    expect(isSamePart(part(0, 1000), part(-20, 1020))).toBe(true);
    expect(isSamePart(part(0, 1000), part(0, 1100))).toBe(false);
    expect([isSamePart(null, null), isSamePart(null, part(0, 1)), isSamePart(part(0, 1), null)]).toEqual([true, false, false]);
  });

  test("is the time of a row that has a time", () => {
    const trace = sampleTrace("web GET 0+100\n  web odd 30+9 backwards\n  x lost 0+0 missing");
    expect(partOfRow(trace, 0)).toEqual({ start: String(ZERO), end: String(ZERO + 100n) });
    expect(partOfRow(trace, 2)).toBeNull();
  });
});

describe("a window as the clocks had it", () => {
  test("is itself on the raw axis", () => {
    expect(rawWindow(skewed, skewed, { start: 3, end: 7 }, false)).toEqual({ start: 3, end: 7 });
  });

  test("is wide enough for each clock in it", () => {
    // Of what is at 600..700 on the aligned axis, web says the same and cart says 1,100..1,200.
    expect(rawWindow(skewed, alignedColumns(skewed), { start: 600, end: 700 }, false)).toEqual({ start: 600, end: 1200 });
    // Between the two spans of cart only web is on.
    expect(rawWindow(skewed, alignedColumns(skewed), { start: 4000, end: 5000 }, false)).toEqual({ start: 4000, end: 5000 });
  });

  test("reaches from the first to the last event of some steps", () => {
    const id = (row: number): string => (0xabc000 + row).toString(16).padStart(16, "0");
    const steps = causalColumns(skewed, { spanIds: [id(0), id(1), id(1), id(7), id(2), id(2), id(0)], ends: Uint8Array.of(0, 0, 1, 0, 0, 1, 1) });
    expect(rawWindow(skewed, steps, { start: 1500, end: 4500 }, true)).toEqual({ start: 4000, end: 6000 });
  });

  test("is the whole trace where it has nothing", () => {
    const steps = causalColumns(skewed, { spanIds: ["0000000000abc000", "0000000000abc000"], ends: Uint8Array.of(0, 1) });
    expect(rawWindow(skewed, steps, { start: 200, end: 300 }, true)).toEqual({ start: 0, end: 10000 });
  });
});

describe("a trace that is here in part", () => {
  test("says so", () => {
    expect([isPartial(skewed), isPartial(sampleTrace(TEXT))]).toEqual([true, false]);
    expect(partSentence(skewed, null)).toBe("3 of 90 spans: the longest of the whole trace");
    expect(partSentence(skewed, partOf(skewed, { start: -2000, end: 3000 }))).toBe("3 of 90 spans: the longest from −2 µs to +3 µs");
  });

  test("has an axis as long as the whole", () => {
    const late = { ...skewed, extent: 50_000 };
    expect(alignedColumns(late).extent).toBe(50_000);
    expect(alignedColumns({ ...late, totalRows: 3 }).extent).toBe(10_000);
  });

  test("has its part in the address, and the span that should be in it", () => {
    const part = partOf(skewed, { start: 1000, end: 2000 });
    const params = new URLSearchParams({ part: partText(part), span: "00000000000000FF" });
    const view = parseView(skewed, params);
    expect([view.part, view.selected, view.absent]).toEqual([part, -1, "00000000000000ff"]);
    expect(viewParams(skewed, view).toString()).toBe(`part=${partText(part)}&span=00000000000000ff`);
    // A row that is chosen since is the one to come back to.
    expect(viewParams(skewed, { ...view, selected: 1 }).get("span")).toBe("0000000000abc001");
    const whole = parseView(sampleTrace(TEXT), params);
    expect([whole.part, whole.absent]).toEqual([null, ""]);
  });

  test("has its attributes asked for by what its rows have in common", () => {
    // The root starts before the others and is longer than all.
    expect(partCondition(skewed)).toBe(` AND duration_ns >= 1000 AND (start_time_unix_nano BETWEEN ${ZERO + 1000n} AND ${ZERO + 6000n} OR duration_ns >= 10000)`);
    expect(partCondition(sampleTrace(TEXT))).toBe("");
    expect(partCondition(partial(sampleTrace("web GET 0+100\n  x lost 0+0 missing")))).toBe("");
  });

  test("has no leaf and no run of equal calls where something was left out", () => {
    const calls = sampleTrace(`web GET 0+100\n${"  db read 0+1\n".repeat(6)}`);
    expect(findFolds(calls).count).toBe(1);
    const cut = { ...calls, totalRows: 90, hidden: Int32Array.from(calls.hidden, (_, row) => (row === 3 ? 5 : 0)) };
    expect(findFolds(cut).count).toBe(0);
    const leaves = (trace: TraceColumns): number | undefined => findSpans(trace, "is:leaf", new Map(), new Map())?.rows.length;
    expect([leaves(calls), leaves(cut)]).toEqual([6, 5]);
  });
});
