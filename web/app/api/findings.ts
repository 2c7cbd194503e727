// Findings: what detectors say of one trace, and of many traces in groups.
// Times of sight are numbers of nanoseconds, which JSON rounds to a quarter of a microsecond; they are shown as ages.
import { parse, requestText } from "./client.ts";
import { asNumber, asObject, asString, listOf, orNull, type Json } from "./decode.ts";
import { severityOf, type Severity } from "./severity.ts";

/** What both a finding and a group of findings have. */
export interface FindingHead {
  readonly groupKey: string;
  readonly detector: string;
  readonly fallacy: string;
  readonly severity: Severity;
  readonly title: string;
  readonly entryService: string;
  readonly entryOperation: string;
  readonly wastedNs: number;
  readonly savingNs: number;
  readonly firstSeenMillis: number;
  readonly lastSeenMillis: number;
}

export interface Evidence {
  readonly seen: string;
  readonly cost: string;
  readonly remedy: string;
  readonly disproof: string;
  /** What else the detector measured, as it came. */
  readonly figures: Json;
}

export interface Finding extends FindingHead {
  readonly findingId: string;
  readonly traceId: string;
  readonly parentSpanId: string | null;
  readonly spanIds: readonly string[];
  readonly count: number;
  readonly criticalPathNs: number;
  readonly evidence: Evidence;
}

export interface FindingGroup extends FindingHead {
  readonly findings: number;
  readonly traces: number;
  readonly savingMedianNs: number;
  /** Traces that lose most. */
  readonly exampleTraces: readonly string[];
}

export interface GroupList {
  readonly groups: readonly FindingGroup[];
  /** How many there are; the list may be shorter. */
  readonly total: number;
}

export interface WholeGroup extends FindingGroup {
  /** Newest first. */
  readonly recent: readonly Finding[];
}

function headOf(json: Json, path: string): FindingHead {
  const text = (key: string): string => asString(json[key], `${path}.${key}`);
  const number = (key: string): number => asNumber(json[key], `${path}.${key}`);
  return {
    groupKey: text("group_key"), detector: text("detector"), fallacy: text("fallacy"), severity: severityOf(text("severity")), title: text("title"),
    entryService: text("entry_service"), entryOperation: text("entry_operation"), wastedNs: number("wasted_ns"), savingNs: number("saving_ns"),
    firstSeenMillis: number("first_seen_unix_nano") / 1e6, lastSeenMillis: number("last_seen_unix_nano") / 1e6,
  };
}

function evidenceOf(value: unknown, path: string): Evidence {
  const { seen, cost, remedy, disproof, ...figures } = asObject(value, path);
  const text = (one: unknown): string => (typeof one === "string" ? one : "");
  return { seen: text(seen), cost: text(cost), remedy: text(remedy), disproof: text(disproof), figures };
}

function findingOf(value: unknown, path: string): Finding {
  const json = asObject(value, path);
  return {
    ...headOf(json, path),
    findingId: asString(json["finding_id"], `${path}.finding_id`),
    traceId: asString(json["trace_id"], `${path}.trace_id`),
    parentSpanId: orNull(json["parent_span_id"], `${path}.parent_span_id`, asString),
    spanIds: listOf(json["span_ids"], `${path}.span_ids`, asString),
    count: asNumber(json["count"], `${path}.count`),
    criticalPathNs: asNumber(json["critical_path_ns"], `${path}.critical_path_ns`),
    evidence: evidenceOf(json["evidence"], `${path}.evidence`),
  };
}

function groupOf(value: unknown, path: string): FindingGroup {
  const json = asObject(value, path);
  return {
    ...headOf(json, path),
    findings: asNumber(json["findings"], `${path}.findings`),
    traces: asNumber(json["traces"], `${path}.traces`),
    savingMedianNs: asNumber(json["saving_median_ns"], `${path}.saving_median_ns`),
    exampleTraces: listOf(json["example_traces"], `${path}.example_traces`, asString),
  };
}

export function decodeGroups(value: unknown): GroupList {
  const json = asObject(value, "answer");
  return { groups: listOf(json["groups"], "groups", groupOf), total: asNumber(json["total"], "total") };
}

export function decodeGroup(value: unknown): WholeGroup {
  return { ...groupOf(value, "group"), recent: listOf(asObject(value, "group")["recent"], "group.recent", findingOf) };
}

export function decodeFindings(value: unknown): readonly Finding[] {
  return listOf(asObject(value, "answer")["findings"], "findings", findingOf);
}

export async function fetchGroups(params: URLSearchParams, signal?: AbortSignal): Promise<GroupList> {
  const query = params.toString();
  return decodeGroups(parse(await requestText(`/findings${query === "" ? "" : `?${query}`}`, signal)));
}

export async function fetchGroup(key: string, signal?: AbortSignal): Promise<WholeGroup> {
  return decodeGroup(parse(await requestText(`/findings/${encodeURIComponent(key)}`, signal)));
}

export async function fetchTraceFindings(traceId: string, signal?: AbortSignal): Promise<readonly Finding[]> {
  return decodeFindings(parse(await requestText(`/traces/${encodeURIComponent(traceId)}/findings`, signal)));
}
