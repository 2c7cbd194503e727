// What the server knows of the order of one trace: whose clock each row was read from, its time on the clock of
// reference, what is wrong with its stamps, and the messages between clocks. Columns by row, as in trace_columns.ts.
import { asArray, asBoolean, asNumber, asObject, asString, DecodeError, listOf, orNull, type Json } from "./decode.ts";

/** What an order rests on, strongest first; places in `Messages.certainty`. */
export const CERTAINTIES = ["proven", "bounded", "inferred", "guessed", "unknown"] as const;
export type Certainty = (typeof CERTAINTIES)[number];

export interface TraceClock {
  readonly id: string;
  readonly service: string | null;
  readonly instance: string | null;
  readonly host: string | null;
  /** Whether its ticks are recorded, so that order within it is proven. */
  readonly tagged: boolean;
}

export interface Messages {
  readonly count: number;
  /** Rows. */
  readonly from: Int32Array;
  readonly to: Int32Array;
  /** 1 where the message leaves or arrives at the end of the span, 0 at its start. */
  readonly fromEnd: Uint8Array;
  readonly toEnd: Uint8Array;
  /** Places in `CERTAINTIES`. */
  readonly certainty: Uint8Array;
}

export interface TraceOrder {
  readonly clocks: readonly TraceClock[];
  /** Index of the clock that aligned times are told on, or -1. */
  readonly reference: number;
  /** Index into `clocks` per row, or -1. */
  readonly clock: Int32Array;
  /** Nanoseconds after the raw start of the trace; may be negative. */
  readonly start: Float64Array;
  readonly duration: Float64Array;
  /** How far the aligned times may be off, either way; NaN where nothing bounds it. */
  readonly halfWidth: Float64Array;
  /** Bits of fault_texts.ts. */
  readonly faults: Uint32Array;
  readonly messages: Messages;
}

function fill<T extends Int32Array | Uint32Array | Float64Array>(order: Json, key: string, into: T, missing: number): T {
  const values = asArray(order[key], `order.${key}`);
  if (values.length !== into.length) throw new DecodeError(`order.${key}`, `${into.length} values long`, values);
  for (let i = 0; i < into.length; i++) into[i] = orNull(values[i], `order.${key}[${i}]`, asNumber) ?? missing;
  return into;
}

function decodeMessages(value: unknown, rows: number): Messages {
  const json = asObject(value, "order.messages");
  const column = <T>(key: string, read: (value: unknown, path: string) => T): T[] => listOf(json[key], `order.messages.${key}`, read);
  const row = (one: unknown, path: string): number => {
    const at = asNumber(one, path);
    if (!(at >= 0 && at < rows)) throw new DecodeError(path, "a row of the trace", one);
    return at;
  };
  const from = Int32Array.from(column("from", row));
  const is = (key: string): Uint8Array => Uint8Array.from(column(key, asString), (one) => (one === "end" ? 1 : 0));
  const known = (one: string): number => Math.max(0, CERTAINTIES.indexOf(one as Certainty) < 0 ? CERTAINTIES.length - 1 : CERTAINTIES.indexOf(one as Certainty));
  const messages: Messages = {
    count: from.length, from, to: Int32Array.from(column("to", row)), fromEnd: is("from_event"), toEnd: is("to_event"),
    certainty: Uint8Array.from(column("class", asString), known),
  };
  for (const one of [messages.to, messages.fromEnd, messages.toEnd, messages.certainty]) {
    if (one.length !== from.length) throw new DecodeError("order.messages", "columns of one length", one);
  }
  return messages;
}

export function decodeClock(value: unknown, path: string): TraceClock {
  const json = asObject(value, path);
  const text = (key: string): string | null => orNull(json[key], `${path}.${key}`, asString);
  return {
    id: asString(json["clock"], `${path}.clock`), service: text("service_name"), instance: text("service_instance_id"), host: text("host_name"),
    tagged: asBoolean(json["is_tagged"], `${path}.is_tagged`),
  };
}

/** null where the server says nothing of order. */
export function decodeTraceOrder(value: unknown, rows: number): TraceOrder | null {
  if (value === undefined || value === null) return null;
  const json = asObject(value, "order");
  return {
    clocks: listOf(json["clocks"], "order.clocks", decodeClock),
    reference: orNull(json["reference"], "order.reference", asNumber) ?? -1,
    clock: fill(json, "clock", new Int32Array(rows), -1),
    start: fill(json, "aligned_start_ns", new Float64Array(rows), Number.NaN),
    duration: fill(json, "aligned_duration_ns", new Float64Array(rows), Number.NaN),
    halfWidth: fill(json, "half_width_ns", new Float64Array(rows), Number.NaN),
    faults: fill(json, "faults", new Uint32Array(rows), 0),
    messages: decodeMessages(json["messages"], rows),
  };
}
