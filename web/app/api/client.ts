// The requests this UI makes, all of them to its own server. Each gives a decoded value or throws
// ApiError (the server said no), DecodeError (it said something else) or the abort it was given.
import { addressPart } from "../base/text.ts";
import { decodeOtlpSpans, type OtlpSpan } from "./otlp.ts";
import { decodeTraceColumns, type TraceColumns } from "./trace_columns.ts";
import { decodeNames, decodeTracePage, traceSummary, type NameCount, type TracePage, type TraceSummary } from "./trace_summary.ts";

export class ApiError extends Error {
  /** HTTP status; 0 when no answer came at all. */
  readonly status: number;
  readonly code: string;
  readonly requestId: string | null;

  constructor(status: number, code: string, message: string, requestId: string | null) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.requestId = requestId;
  }
}

const ROOT = "/api/v1";

export async function requestText(path: string, signal?: AbortSignal, init: RequestInit = {}): Promise<string> {
  let response: Response;
  let body: string;
  try {
    const headers = { accept: "application/json", ...(init.body === undefined ? {} : { "content-type": "application/json" }) };
    response = await fetch(ROOT + path, { headers, ...init, ...(signal ? { signal } : {}) });
    body = await response.text();
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, "unreachable", "the server did not answer", null);
  }
  if (!response.ok) throw errorOf(response, body);
  return body;
}

function errorOf(response: Response, body: string): ApiError {
  const requestId = response.headers.get("x-request-id");
  try {
    const json = JSON.parse(body) as Record<string, unknown>;
    const text = (key: string): string | null => (typeof json[key] === "string" ? json[key] : null);
    return new ApiError(
      response.status, text("code") ?? "error", text("message") ?? response.statusText, text("request_id") ?? requestId,
    );
  } catch {
    // Not our server's words (a proxy's page, perhaps): the status is all that can be said.
    return new ApiError(response.status, "error", `the server answered with status ${response.status}`, requestId);
  }
}

export function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new ApiError(200, "not_json", "the server's answer is not JSON", null);
  }
}

export async function fetchServices(signal?: AbortSignal): Promise<NameCount[]> {
  return decodeNames(parse(await requestText("/services", signal)), "services");
}

export async function fetchOperations(service: string, signal?: AbortSignal): Promise<NameCount[]> {
  return decodeNames(parse(await requestText(`/services/${addressPart(service)}/operations`, signal)), "operations");
}

export async function fetchTracePage(query: URLSearchParams, signal?: AbortSignal): Promise<TracePage> {
  return decodeTracePage(parse(await requestText(`/traces?${query.toString()}`, signal)));
}

/** Where traces that fit are pushed, one summary per event `trace`. */
export const tailUrl = (query: URLSearchParams): string => `${ROOT}/tail?${query.toString()}`;

export const readTailed = (data: string): TraceSummary => traceSummary(parse(data), "trace");

/** A stretch of time, in Unix nanoseconds as decimal text. */
export interface TracePart {
  readonly start: string;
  readonly end: string;
}

/** Of a trace too large for one answer, what is longest in `part`; null = in all of it. */
export async function fetchTrace(traceId: string, part: TracePart | null, signal?: AbortSignal): Promise<TraceColumns> {
  const query = part === null ? "" : `?start=${part.start}&end=${part.end}`;
  return decodeTraceColumns(parse(await requestText(`/traces/${encodeURIComponent(traceId)}${query}`, signal)));
}

export interface SpanAnswer {
  readonly spans: readonly OtlpSpan[];
  /** The OTLP/JSON itself, indented. */
  readonly raw: string;
}

export async function fetchSpan(traceId: string, spanId: string, signal?: AbortSignal): Promise<SpanAnswer> {
  const json = parse(await requestText(`/traces/${encodeURIComponent(traceId)}/spans/${spanId}`, signal));
  return { spans: decodeOtlpSpans(json), raw: JSON.stringify(json, null, 2) };
}

export const otlpUrl = (traceId: string): string => `${ROOT}/traces/${encodeURIComponent(traceId)}/otlp`;
