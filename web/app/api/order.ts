// Questions about the order of one trace: how two spans relate and why, what is proven about one span, and all events
// in causal order.
import { parse, requestText } from "./client.ts";
import { asBoolean, asNumber, asObject, asString, listOf, orNull } from "./decode.ts";
import { CERTAINTIES, type Certainty } from "./trace_order.ts";

const RELATIONS = ["before", "after", "contains", "inside", "overlaps", "same", "undecided"] as const;
export type Relation = (typeof RELATIONS)[number];

export interface EventRef {
  readonly traceId: string;
  readonly spanId: string;
  /** `start`, `end` or `tick`. */
  readonly event: string;
}

export interface ProofStep {
  readonly from: EventRef;
  readonly to: EventRef;
  readonly edge: string;
  readonly isProof: boolean;
}

export interface Because {
  readonly earlier: EventRef;
  readonly later: EventRef;
  readonly steps: readonly ProofStep[];
}

export interface SpanRelation {
  readonly relation: Relation;
  readonly certainty: Certainty;
  readonly because: readonly Because[];
  readonly marginNs: number | null;
  readonly halfWidthNs: number | null;
  readonly assumptions: Assumptions;
}

/** What bounds of offsets assume of clocks. */
export interface Assumptions {
  readonly rhoPpm: number;
  readonly horizonNs: number;
  readonly windowNs: number;
  /** Clocks whose hosts are believed how far they say they are off at most. */
  readonly declaredClocks: number;
}

/** Relation of the asked span to each span, by span id. */
export type Cone = ReadonlyMap<string, Relation>;

export interface CausalLine {
  readonly spanIds: readonly string[];
  /** 1 for the end of the span, 0 for its start. */
  readonly ends: Uint8Array;
}

const tracePath = (traceId: string): string => `/traces/${encodeURIComponent(traceId)}`;

function relationOf(value: unknown, path: string): Relation {
  const text = asString(value, path);
  return RELATIONS.find((one) => one === text) ?? "undecided";
}

function eventOf(value: unknown, path: string): EventRef {
  const json = asObject(value, path);
  return { traceId: asString(json["trace_id"], `${path}.trace_id`), spanId: asString(json["span_id"], `${path}.span_id`), event: asString(json["event"], `${path}.event`) };
}

export function decodeAssumptions(value: unknown): Assumptions {
  const json = asObject(value, "assumptions");
  const number = (key: string): number => asNumber(json[key], `assumptions.${key}`);
  return { rhoPpm: number("rho_ppm"), horizonNs: number("horizon_ns"), windowNs: number("window_ns"), declaredClocks: number("declared_clocks") };
}

export function decodeRelation(value: unknown): SpanRelation {
  const json = asObject(value, "answer");
  const certainty = asString(json["class"], "class");
  return {
    relation: relationOf(json["relation"], "relation"), certainty: CERTAINTIES.find((one) => one === certainty) ?? "unknown",
    because: listOf(json["because"], "because", (one, path) => {
      const reason = asObject(one, path);
      return {
        earlier: eventOf(reason["earlier"], `${path}.earlier`), later: eventOf(reason["later"], `${path}.later`),
        steps: listOf(reason["steps"], `${path}.steps`, (step, at) => {
          const edge = asObject(step, at);
          return { from: eventOf(edge["from"], `${at}.from`), to: eventOf(edge["to"], `${at}.to`), edge: asString(edge["edge"], `${at}.edge`), isProof: asBoolean(edge["is_proof"], `${at}.is_proof`) };
        }),
      };
    }),
    marginNs: orNull(json["margin_ns"], "margin_ns", asNumber), halfWidthNs: orNull(json["half_width_ns"], "half_width_ns", asNumber),
    assumptions: decodeAssumptions(json["assumptions"]),
  };
}

export function decodeCone(value: unknown): Cone {
  const json = asObject(value, "answer");
  const ids = listOf(json["span_id"], "span_id", asString);
  const relations = listOf(json["relation"], "relation", relationOf);
  return new Map(ids.map((id, i) => [id, relations[i] ?? "undecided"]));
}

export function decodeCausalLine(value: unknown): CausalLine {
  const json = asObject(value, "answer");
  return { spanIds: listOf(json["span_id"], "span_id", asString), ends: Uint8Array.from(listOf(json["event"], "event", asString), (one) => (one === "end" ? 1 : 0)) };
}

export async function fetchRelation(traceId: string, from: string, to: string, signal: AbortSignal): Promise<SpanRelation> {
  return decodeRelation(parse(await requestText(`${tracePath(traceId)}/order?from=${from}&to=${to}`, signal)));
}

export async function fetchCone(traceId: string, span: string, signal: AbortSignal): Promise<Cone> {
  return decodeCone(parse(await requestText(`${tracePath(traceId)}/cone?span=${span}`, signal)));
}

export async function fetchCausalLine(traceId: string, signal: AbortSignal): Promise<CausalLine> {
  return decodeCausalLine(parse(await requestText(`${tracePath(traceId)}/order`, signal)));
}
