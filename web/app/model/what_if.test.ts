// Changes as words of an address, what the server is asked, and what its answer makes of a trace.
import { describe, expect, test } from "vitest";
import { decodeWhatIf } from "../api/what_if.ts";
import { FIRST_COLLAPSE, visibleRows } from "./visible_rows.ts";
import { findFolds } from "./folds.ts";
import { sampleTrace } from "./sample_trace.ts";
import { spanIdOf } from "./span_row.ts";
import { CHANGE_KINDS, changeBody, changedRows, changeText, extentOf, firstChange, newTimes, parseChange, parseValue, remedyOf, valueText } from "./what_if.ts";

const trace = sampleTrace(`
  web GET 0+1000
    web render 0+100
    cart load 100+800
${Array.from({ length: 6 }, (_, i) => `      db SELECT ${100 + i * 100}+100`).join("\n")}
`);
const at = (offset: number): string => String(BigInt(trace.startUnixNano) + BigInt(offset));

/** Six queries become one of 100 ns; the caller ends 500 ns earlier. */
const answer = decodeWhatIf({
  duration_ns: 1000, new_duration_ns: 500, saving_ns: 500,
  spans: {
    span_id: Array.from({ length: 9 }, (_, row) => spanIdOf(trace, row)), start_unix_nano: [0, 0, 100, 100, 200, 300, 400, 500, 600].map(at),
    duration_ns: [500, 100, 300, 100, 100, 100, 100, 100, 100], is_gone: [false, false, false, false, true, true, true, true, true],
  },
});

describe("changes", () => {
  test("survive the address, and nonsense does not", () => {
    for (const { id } of CHANGE_KINDS) expect(parseChange(changeText(firstChange(id, "service=a.b name=c")))).toEqual(firstChange(id, "service=a.b name=c"));
    for (const text of ["", "batch", "batch:1:", "batch:x:cart", "explode:1:cart", "faster:0:cart", "faster:101:cart", "parallel:0:cart", "parallel:1.5:cart"]) {
      expect(parseChange(text), text).toBe(null);
    }
    expect(parseChange("faster:50:12.5")).toEqual({ kind: "faster", value: 50, find: "12.5" });
  });

  test("have values as people write them", () => {
    expect(valueText({ kind: "round_trip", value: 1e6 })).toBe("1 ms");
    expect(valueText({ kind: "batch", value: 0 })).toBe("0 ms");
    expect([parseValue("round_trip", "2.5 ms"), parseValue("batch", "0"), parseValue("faster", "30 %"), parseValue("parallel", "4")]).toEqual([2.5e6, 0, 30, 4]);
    expect([parseValue("round_trip", "soon"), parseValue("faster", "12.5"), parseValue("faster", ""), parseValue("parallel", "1.5"), parseValue("parallel", "-1")]).toEqual([null, null, null, null, null]);
  });

  test("are asked as agreed", () => {
    const spans = ["00000000000abc01"];
    expect(CHANGE_KINDS.map(({ id }) => changeBody(firstChange(id, "x"), spans))).toEqual([
      { kind: "batch", spans, per_item_ns: 0 }, { kind: "parallel", spans, limit: 8 }, { kind: "remove", spans }, { kind: "faster", spans, percent: 50 }, { kind: "round_trip", spans, round_trip_ns: 1e6 },
    ]);
    expect([remedyOf("n_plus_one"), remedyOf("sequential_calls"), remedyOf("one of tomorrow")]).toEqual(["batch", "parallel", "faster"]);
  });
});

describe("the answer", () => {
  test("gives every row its new times", () => {
    const times = newTimes(trace, answer);
    expect([...times.changed]).toEqual([1, 0, 1, 0, 1, 1, 1, 1, 1]);
    expect([times.duration[0], times.start[3], times.from, times.to]).toEqual([500, 100, 0, 1000]);
    // A row without a usable time comes back with some time, which is none of the trace's.
    const untimed = { ...trace, start: trace.start.map((one, row) => (row === 8 ? Number.NaN : one)) };
    const odd = newTimes(untimed, { ...answer, startUnixNano: answer.startUnixNano.map((one, row) => (row === 8 ? "0" : one)), gone: new Uint8Array(9) });
    expect([odd.from, odd.to, odd.start[8]]).toEqual([0, 1000, Number.NaN]);
  });

  test("shows what changed and what is above it, equal calls as one row", () => {
    const visible = visibleRows(trace, findFolds(trace), FIRST_COLLAPSE);
    expect([...changedRows(trace, newTimes(trace, answer), visible, findFolds(trace))]).toEqual([0, 2, 3]);
    const same = newTimes(trace, { ...answer, duration: trace.duration.slice(), gone: new Uint8Array(9) });
    expect([...changedRows(trace, same, visible, findFolds(trace))]).toEqual([]);
  });

  test("of a run is from its first start to its last end, without what is gone", () => {
    const { start, duration, gone } = newTimes(trace, answer);
    expect(extentOf(trace.start, trace.duration, null, 3, 6)).toEqual({ start: 100, end: 700, count: 6 });
    expect(extentOf(start, duration, gone, 3, 6)).toEqual({ start: 100, end: 200, count: 1 });
    expect(extentOf(start, duration, gone, 4, 0)).toBe(null);
  });

  test("is checked", () => {
    const spans = { span_id: ["00000000000abc01"], start_unix_nano: ["1"], duration_ns: [1], is_gone: [false] };
    const whole = { duration_ns: 1, new_duration_ns: 1, saving_ns: 0 };
    expect(() => decodeWhatIf({ ...whole, spans: { ...spans, is_gone: [] } })).toThrow(/columns of one length/);
    expect(() => decodeWhatIf({ ...whole, spans: { ...spans, start_unix_nano: ["now"] } })).toThrow(/decimal digits/);
  });
});
