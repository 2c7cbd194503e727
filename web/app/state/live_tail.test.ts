// Traces as they arrive: handed on in bunches, kept back while paused, and a list that stays in its order.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { TracePage, TraceSummary } from "../api/trace_summary.ts";
import { withArrivals } from "../model/live_list.ts";
import { LiveTail, type Source } from "./live_tail.ts";

const trace = (traceId: string, start = 1, change: Partial<TraceSummary> = {}): TraceSummary => ({
  traceId, rootSpanId: null, rootService: "web", rootName: "GET /", startUnixNano: String(1_795_263_000_000_000_000n + BigInt(start)), durationNs: 5, envelopeNs: 5, spans: 1, errors: 0, services: [],
  missingParents: 0, complete: true, findings: [], ...change,
});

class FakeSource implements Source {
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;
  readyState = 0;
  readonly listeners = new Map<string, (event: { readonly data: string }) => void>();
  addEventListener(name: "trace" | "problem", listener: (event: { readonly data: string }) => void): void {
    this.listeners.set(name, listener);
  }
  close(): void {
    this.readyState = 2;
  }
  send(...ids: string[]): void {
    for (const id of ids) this.listeners.get("trace")?.({ data: id });
  }
}

const read = (data: string): TraceSummary => {
  if (data === "nonsense") throw new Error(data);
  return trace(data);
};
let source = new FakeSource();
let bunches: string[][] = [];
let tail = new LiveTail(() => source, read);

beforeEach(() => {
  vi.useFakeTimers();
  source = new FakeSource();
  bunches = [];
  tail = new LiveTail(() => source, read);
  tail.start("/tail", (traces) => {
    bunches.push(traces.map((one) => one.traceId));
    return traces.filter((one) => one.traceId !== "known").length;
  });
});
afterEach(() => {
  tail.stop();
  vi.useRealTimers();
});

test("what arrives together is handed on together, a trace once, and what cannot be read is skipped", () => {
  source.onopen?.();
  source.send("a", "b", "nonsense", "known", "a");
  expect(bunches).toEqual([]);
  vi.advanceTimersByTime(500);
  expect(bunches).toEqual([["b", "known", "a"]]);
  expect(tail.state.value).toEqual({ status: "open", paused: false, arrived: 2, waiting: 0, problem: "" });
  vi.advanceTimersByTime(500);
  expect(bunches).toHaveLength(1);
});

test("while paused the newest thousand wait, and come when it goes on", () => {
  tail.pause(true);
  source.send(...Array.from({ length: 1200 }, (_, i) => `t${i}`));
  vi.advanceTimersByTime(5000);
  expect([bunches.length, tail.state.value.waiting]).toEqual([0, 1000]);
  tail.pause(false);
  vi.advanceTimersByTime(500);
  expect([bunches[0]?.length, bunches[0]?.[0], tail.state.value.waiting]).toEqual([1000, "t200", 0]);
});

test("what the server could not do is told until it can again", () => {
  source.listeners.get("problem")?.({ data: "the query took too long" });
  expect(tail.state.value.problem).toBe("the query took too long");
  source.send("a");
  vi.advanceTimersByTime(500);
  expect(tail.state.value.problem).toBe("");
});

test("a lost connection is taken up again, a refused one is not", () => {
  source.readyState = 0;
  source.onerror?.();
  expect(tail.state.value.status).toBe("connecting");
  source.readyState = 2;
  source.onerror?.();
  expect(tail.state.value.status).toBe("refused");
  tail.stop();
  source.send("late");
  vi.advanceTimersByTime(1000);
  expect([bunches.length, tail.state.value.status]).toEqual([0, "off"]);
});

test("the list stays in its order and at its length, and a trace that grew is there once", () => {
  const page: TracePage = { traces: [trace("c", 30), trace("b", 20), trace("a", 10)], total: { value: 3, exact: true }, nextCursor: null };
  const ids = (arrived: TraceSummary[], order: "newest" | "slowest" | "most_spans" | "most_errors", limit = 3): string[] => withArrivals(page, arrived, order, limit).traces.map((one) => one.traceId);
  expect(ids([trace("d", 40)], "newest")).toEqual(["d", "c", "b"]);
  expect(ids([trace("old", 5)], "newest", 5)).toEqual(["c", "b", "a", "old"]);
  expect(ids([trace("a", 10, { durationNs: 90 })], "slowest")).toEqual(["a", "c", "b"]);
  expect(withArrivals(page, [trace("a", 10, { spans: 7 })], "most_spans", 3).traces[0]).toMatchObject({ traceId: "a", spans: 7 });
  expect(ids([trace("e", 1, { errors: 2 })], "most_errors", 2)).toEqual(["e", "c"]);
});
