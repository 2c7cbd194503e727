// What can be wrong with the stamps and times of a span, in words. Bits as the server stores them.
import { FLAG_DUPLICATE_ID, FLAG_ENDS_BEFORE_START, FLAG_NO_TIME, type TraceColumns } from "../api/trace_columns.ts";
import type { FlagText } from "./flag_texts.ts";

const FAULT_DUPLICATE = 1;
const FAULT_TIME = 2;

const FAULT_TEXTS: readonly FlagText[] = [
  { bit: FAULT_DUPLICATE, title: "Span ID used more than once", text: "Another span has the same ID, so what parents and links would prove through it is not counted." },
  { bit: FAULT_TIME, title: "Times not to be trusted", text: "Start or end is missing, reversed, or later than the clock's own reading at the end. Rules on wall clocks leave this span out." },
  { bit: 4, title: "Stamp cannot be read", text: "The span carries a clock stamp that is not well formed. It counts as a span without a stamp." },
  { bit: 8, title: "Stamp from the future", text: "The stamp lies further ahead of the collector than a healthy clock may be. Set that machine's clock; its messages still count as proof." },
  { bit: 16, title: "Stamps out of order", text: "The end does not follow the start, or the start does not follow the stamp received: a broken propagator or a copied clock. Same-clock proofs of this span are not counted." },
  { bit: 32, title: "Two clocks share one ID", text: "A fork or a restored snapshot kept the clock's ID. Same-clock proofs of that ID are not counted." },
  { bit: 64, title: "Start was backdated", text: "The reported start is far from what the clock read when the span started. The reported start is only “not later than”." },
  { bit: 128, title: "Context was replayed", text: "The stamp received is older than the span it claims to come from: a retried, cached or forged context." },
  { bit: 256, title: "Proofs contradict each other", text: "The span lies on a circle of edges that should be proofs, so at least one stamp or ID in it is wrong." },
];

/** Faults of a row, without those that its flags say already. */
export function faultTexts(trace: TraceColumns, row: number): readonly FlagText[] {
  const faults = trace.order?.faults[row] ?? 0;
  if (faults === 0) return [];
  const flags = trace.flags[row] ?? 0;
  const said = ((flags & FLAG_DUPLICATE_ID) !== 0 ? FAULT_DUPLICATE : 0) | ((flags & (FLAG_NO_TIME | FLAG_ENDS_BEFORE_START)) !== 0 ? FAULT_TIME : 0);
  return FAULT_TEXTS.filter((one) => (faults & ~said & one.bit) !== 0);
}

/** Rows with faults that no flag says. */
export function countFaulty(trace: TraceColumns): number {
  let count = 0;
  for (let row = 0; row < trace.rowCount; row++) if ((trace.order?.faults[row] ?? 0) !== 0 && faultTexts(trace, row).length > 0) count++;
  return count;
}
