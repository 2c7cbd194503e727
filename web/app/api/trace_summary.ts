// The answers of the search page: services, operations and trace summaries.
import { asBoolean, asNumber, asObject, asString, listOf, orNull } from "./decode.ts";
import { severityOf, type Severity } from "./severity.ts";

export interface NameCount {
  readonly name: string;
  readonly spans: number;
}

export interface ServiceCount extends NameCount {
  readonly errors: number;
}

/** What one detector found in a trace. */
export interface FoundInTrace {
  readonly detector: string;
  readonly severity: Severity;
  readonly count: number;
  readonly savingNs: number;
}

export interface TraceSummary {
  readonly traceId: string;
  readonly rootSpanId: string | null;
  readonly rootService: string | null;
  readonly rootName: string | null;
  readonly startUnixNano: string;
  /** The root's; null when no root has usable times. */
  readonly durationNs: number | null;
  readonly envelopeNs: number;
  readonly spans: number;
  readonly errors: number;
  readonly services: readonly ServiceCount[];
  readonly missingParents: number;
  readonly complete: boolean;
  /** The worst first. */
  readonly findings: readonly FoundInTrace[];
}

export interface TracePage {
  readonly traces: readonly TraceSummary[];
  readonly total: { readonly value: number; readonly exact: boolean };
  readonly nextCursor: string | null;
}

function nameCount(value: unknown, path: string): NameCount {
  const json = asObject(value, path);
  return { name: asString(json["name"], `${path}.name`), spans: asNumber(json["spans"], `${path}.spans`) };
}

function serviceCount(value: unknown, path: string): ServiceCount {
  return { ...nameCount(value, path), errors: asNumber(asObject(value, path)["errors"], `${path}.errors`) };
}

function foundInTrace(value: unknown, path: string): FoundInTrace {
  const json = asObject(value, path);
  return {
    detector: asString(json["detector"], `${path}.detector`), severity: severityOf(asString(json["severity"], `${path}.severity`)),
    count: asNumber(json["count"], `${path}.count`), savingNs: asNumber(json["saving_ns"], `${path}.saving_ns`),
  };
}

export function traceSummary(value: unknown, path: string): TraceSummary {
  const json = asObject(value, path);
  return {
    traceId: asString(json["trace_id"], `${path}.trace_id`),
    rootSpanId: orNull(json["root_span_id"], `${path}.root_span_id`, asString),
    rootService: orNull(json["root_service"], `${path}.root_service`, asString),
    rootName: orNull(json["root_name"], `${path}.root_name`, asString),
    startUnixNano: asString(json["start_unix_nano"], `${path}.start_unix_nano`),
    durationNs: orNull(json["duration_ns"], `${path}.duration_ns`, asNumber),
    envelopeNs: asNumber(json["envelope_ns"], `${path}.envelope_ns`),
    spans: asNumber(json["spans"], `${path}.spans`),
    errors: asNumber(json["errors"], `${path}.errors`),
    services: listOf(json["services"], `${path}.services`, serviceCount),
    missingParents: asNumber(json["missing_parents"], `${path}.missing_parents`),
    complete: asBoolean(json["complete"], `${path}.complete`),
    findings: listOf(json["findings"], `${path}.findings`, foundInTrace),
  };
}

export function decodeNames(value: unknown, key: "services" | "operations"): NameCount[] {
  return listOf(asObject(value, "answer")[key], key, nameCount);
}

export function decodeTracePage(value: unknown): TracePage {
  const json = asObject(value, "answer");
  const total = asObject(json["total"], "total");
  return {
    traces: listOf(json["traces"], "traces", traceSummary),
    total: { value: asNumber(total["value"], "total.value"), exact: asBoolean(total["exact"], "total.exact") },
    nextCursor: orNull(json["next_cursor"], "next_cursor", asString),
  };
}
