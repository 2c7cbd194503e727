// Services as the server sees them: who calls whom how often, how well and how fast, and the same of one service or
// operation over time.
import { parse, requestText } from "./client.ts";
import { asBoolean, asNumber, asObject, asString, listOf, orNull, type Json } from "./decode.ts";

/** Rate, errors and durations of something; durations are NaN where there was no call. */
export interface Red {
  readonly requests: number;
  readonly errors: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

export interface ServiceNode extends Red {
  readonly service: string;
}

export interface ServiceEdge extends Red {
  readonly caller: string;
  readonly callee: string;
  /** Median of what the caller waits beyond the duration of the call; NaN where it is not known. */
  readonly networkP50: number;
}

export interface ServiceGraph {
  readonly startUnixNano: string;
  readonly endUnixNano: string;
  /** Of all traces, those that were looked at: 1 = all. */
  readonly share: number;
  readonly nodes: readonly ServiceNode[];
  readonly edges: readonly ServiceEdge[];
}

export interface Exemplar {
  readonly traceId: string;
  readonly spanId: string;
  readonly durationNs: number;
  readonly isError: boolean;
}

export interface RedPoint extends Red {
  readonly startUnixNano: string;
  readonly exemplar: Exemplar | null;
}

export interface OperationRed extends Red {
  readonly name: string;
}

export interface RedSeries {
  readonly stepNs: number;
  readonly total: Red;
  readonly points: readonly RedPoint[];
  readonly operations: readonly OperationRed[];
}

function redOf(json: Json, path: string, count: "requests" | "calls" = "requests"): Red {
  const duration = (key: string): number => orNull(json[key], `${path}.${key}`, asNumber) ?? Number.NaN;
  return {
    requests: asNumber(json[count], `${path}.${count}`), errors: asNumber(json["errors"], `${path}.errors`),
    p50: duration("p50_ns"), p95: duration("p95_ns"), p99: duration("p99_ns"),
  };
}

function nodeOf(value: unknown, path: string): ServiceNode {
  const json = asObject(value, path);
  return { service: asString(json["service"], `${path}.service`), ...redOf(json, path) };
}

function edgeOf(value: unknown, path: string): ServiceEdge {
  const json = asObject(value, path);
  return {
    caller: asString(json["caller"], `${path}.caller`), callee: asString(json["callee"], `${path}.callee`), ...redOf(json, path, "calls"),
    networkP50: orNull(json["network_p50_ns"], `${path}.network_p50_ns`, asNumber) ?? Number.NaN,
  };
}

export function decodeGraph(value: unknown): ServiceGraph {
  const json = asObject(value, "answer");
  return {
    startUnixNano: asString(json["start_unix_nano"], "start_unix_nano"), endUnixNano: asString(json["end_unix_nano"], "end_unix_nano"), share: asNumber(json["share"], "share"),
    nodes: listOf(json["nodes"], "nodes", nodeOf), edges: listOf(json["edges"], "edges", edgeOf),
  };
}

function exemplarOf(value: unknown, path: string): Exemplar {
  const json = asObject(value, path);
  return { traceId: asString(json["trace_id"], `${path}.trace_id`), spanId: asString(json["span_id"], `${path}.span_id`), durationNs: asNumber(json["duration_ns"], `${path}.duration_ns`), isError: asBoolean(json["is_error"], `${path}.is_error`) };
}

function pointOf(value: unknown, path: string): RedPoint {
  const json = asObject(value, path);
  return { startUnixNano: asString(json["start_unix_nano"], `${path}.start_unix_nano`), ...redOf(json, path), exemplar: orNull(json["exemplar"], `${path}.exemplar`, exemplarOf) };
}

function operationOf(value: unknown, path: string): OperationRed {
  const json = asObject(value, path);
  return { name: asString(json["name"], `${path}.name`), ...redOf(json, path) };
}

export function decodeRed(value: unknown): RedSeries {
  const json = asObject(value, "answer");
  return {
    stepNs: asNumber(json["step_ns"], "step_ns"), total: redOf(asObject(json["total"], "total"), "total"),
    points: listOf(json["points"], "points", pointOf), operations: orNull(json["operations"], "operations", (list, path) => listOf(list, path, operationOf)) ?? [],
  };
}

export async function fetchGraph(params: URLSearchParams, signal?: AbortSignal): Promise<ServiceGraph> {
  return decodeGraph(parse(await requestText(`/graph?${params.toString()}`, signal)));
}

export async function fetchRed(params: URLSearchParams, signal?: AbortSignal): Promise<RedSeries> {
  return decodeRed(parse(await requestText(`/red?${params.toString()}`, signal)));
}
