// A page of traces that goes on while traces arrive: in its order, each trace once with its newest numbers.
import type { TracePage, TraceSummary } from "../api/trace_summary.ts";
import type { Order } from "./search_query.ts";

const savingOf = (trace: TraceSummary): number => trace.findings.reduce((sum, one) => sum + one.savingNs, 0);
const lengthOf = (trace: TraceSummary): number => trace.durationNs ?? trace.envelopeNs;

/** Negative when `a` comes first. Times are compared as texts of equal length: numbers could not hold them. */
function compare(order: Order, a: TraceSummary, b: TraceSummary): number {
  const newest = a.startUnixNano.length === b.startUnixNano.length ? (a.startUnixNano < b.startUnixNano ? 1 : a.startUnixNano > b.startUnixNano ? -1 : 0) : b.startUnixNano.length - a.startUnixNano.length;
  const by = { newest: 0, slowest: lengthOf(b) - lengthOf(a), most_spans: b.spans - a.spans, most_errors: b.errors - a.errors, worst: savingOf(b) - savingOf(a) }[order];
  return by || newest;
}

/** The page with what arrived, cut to the length of a page. A trace that grew replaces what it was. */
export function withArrivals(page: TracePage, arrived: readonly TraceSummary[], order: Order, limit: number): TracePage {
  const traces = new Map([...page.traces, ...arrived].map((one) => [one.traceId, one]));
  return { ...page, traces: [...traces.values()].sort((a, b) => compare(order, a, b)).slice(0, limit) };
}
