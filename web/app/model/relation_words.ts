// How two spans relate, and why, in words; and what is proven around one span.
import type { Assumptions, Because, Cone, EventRef, Relation, SpanRelation } from "../api/order.ts";
import type { TraceColumns } from "../api/trace_columns.ts";
import type { Certainty } from "../api/trace_order.ts";
import { formatDuration, plural } from "../base/units.ts";
import { spanIdOf } from "./span_row.ts";

/** What is proven of a row against the selected one; the numbers of `coneOfRows`. */
export const CONE_PARTS = [
  { id: "undecided", label: "no proven order" },
  { id: "earlier", label: "proven before" },
  { id: "later", label: "proven after" },
  { id: "together", label: "proven at the same time" },
  { id: "self", label: "selected" },
] as const;
export const [UNDECIDED, EARLIER, LATER, TOGETHER, SELF] = [0, 1, 2, 3, 4] as const;

const PART: Readonly<Record<Relation, number>> = { before: LATER, after: EARLIER, contains: TOGETHER, inside: TOGETHER, overlaps: TOGETHER, same: SELF, undecided: UNDECIDED };

export interface RowCone {
  readonly part: Uint8Array;
  /** How many rows are in each part. */
  readonly counts: readonly number[];
}

export function coneOfRows(trace: TraceColumns, cone: Cone): RowCone {
  const part = new Uint8Array(trace.rowCount);
  const counts = CONE_PARTS.map(() => 0);
  for (let row = 0; row < trace.rowCount; row++) {
    const found = PART[cone.get(spanIdOf(trace, row)) ?? "undecided"];
    part[row] = found;
    counts[found] = (counts[found] ?? 0) + 1;
  }
  return { part, counts };
}

/** With `A` for the first span and `B` for the second. */
const SENTENCES: Readonly<Record<Relation, string>> = {
  before: "A ended before B started.",
  after: "B ended before A started.",
  contains: "B started after A started and ended before A ended.",
  inside: "A started after B started and ended before B ended.",
  overlaps: "A and B were open at the same moment.",
  same: "A and B are the same span.",
  undecided: "Nothing decides which came first.",
};

export const relationSentence = (relation: Relation): string => SENTENCES[relation];

export const CERTAINTY_TEXTS: Readonly<Record<Certainty, { readonly label: string; readonly text: string }>> = {
  proven: { label: "Proven", text: "Recorded messages show it, whatever the clocks say." },
  bounded: { label: "Bounded", text: "The clocks differ by less than the times lie apart." },
  inferred: { label: "Inferred", text: "Recorded messages and conventions show it; the steps marked “convention” usually hold, but need not." },
  guessed: { label: "Guessed", text: "The best estimate of the clocks says so; it may be the other way round." },
  unknown: { label: "Unknown", text: "No message and no usable time connects them." },
};

/** What bounds take for granted. */
export function assumedOfClocks({ rhoPpm, declaredClocks }: Assumptions): string {
  const declared = declaredClocks === 0 ? "" : `, and that ${plural(declaredClocks, "clock is", "clocks are")} as near to universal time as declared`;
  return `no clock runs more than ${rhoPpm} ppm fast or slow, that no step goes unseen${declared}`;
}

/** What the class rests on, with its figures. */
export function groundsOf(found: SpanRelation): string {
  const { label, text } = CERTAINTY_TEXTS[found.certainty];
  const apart = found.marginNs === null ? "" : ` Corrected times lie ${formatDuration(found.marginNs)} apart`;
  const half = found.halfWidthNs === null ? "" : `, the clocks are known to ±${formatDuration(found.halfWidthNs)}`;
  const { assumptions } = found;
  const assumed = found.certainty === "bounded" ? ` This assumes that ${assumedOfClocks(assumptions)}, and uses messages of ${formatDuration(assumptions.horizonNs)} around.` : "";
  return `${label}: ${text}${apart}${half}${apart === "" ? "" : "."}${assumed}`;
}

const EDGES: Readonly<Record<string, string>> = {
  program: "a span starts before it ends",
  parent: "the child needed its parent's ID to start",
  link: "the link needed the ID of the linked span",
  message: "the stamp that was sent was there before this started",
  link_message: "the stamp in the link was there before this ended",
  response: "the stamp of the answer was there before this ended",
  same_node: "two ticks of one clock",
  return: "a server answers before its client ends",
  local_return: "a local child ends before its parent",
  process: "who processes a message starts after its sender",
  same_wall: "one wall clock showed less, then more",
};

export const edgeText = (edge: string): string => EDGES[edge] ?? edge;

/** `start of GET /cart`; the id for a span of another trace. */
export function eventText(ref: EventRef, nameOfSpan: (spanId: string) => string): string {
  const what = ref.event === "tick" ? "message sent by" : `${ref.event} of`;
  return `${what} ${nameOfSpan(ref.spanId)}`;
}

export const becauseTitle = (reason: Because, nameOfSpan: (spanId: string) => string): string =>
  `${eventText(reason.earlier, nameOfSpan)} came before ${eventText(reason.later, nameOfSpan)}`;
