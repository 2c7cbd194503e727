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

export type FindingState = "open" | "acknowledged" | "resolved" | "regressed";

/** What somebody decided about a group. */
export interface Decision {
  /** The version that resolves it; empty when none was named. */
  readonly version: string;
  readonly note: string;
  readonly changedMillis: number;
  /** Versions it had been found in by then. */
  readonly foundIn: readonly string[];
}

/** What somebody wants a group to be. */
export interface Wish {
  readonly state: Exclude<FindingState, "regressed">;
  readonly version?: string;
  readonly note?: string;
}

export interface FindingGroup extends FindingHead {
  /** Of the call it is about; empty where it is about none, or not about one. */
  readonly callerService: string;
  readonly calleeService: string;
  /** Over one time frame for all groups of a list. */
  readonly trend: Trend;
  readonly findings: number;
  readonly traces: number;
  readonly savingMedianNs: number;
  /** Traces that lose most. */
  readonly exampleTraces: readonly string[];
  /** Versions of the service it was found in, and in how many traces. */
  readonly versions: readonly (readonly [version: string, traces: number])[];
  readonly state: FindingState;
  /** Null while nobody has decided. */
  readonly decision: Decision | null;
}

/** A group over time, in stretches of one length. */
export interface Trend {
  readonly startMillis: number;
  readonly stepMillis: number;
  readonly findings: readonly number[];
  readonly savingNs: readonly number[];
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
    callerService: asString(json["caller_service"], `${path}.caller_service`),
    calleeService: asString(json["callee_service"], `${path}.callee_service`),
    trend: trendOf(json["trend"], `${path}.trend`),
    findings: asNumber(json["findings"], `${path}.findings`),
    traces: asNumber(json["traces"], `${path}.traces`),
    savingMedianNs: asNumber(json["saving_median_ns"], `${path}.saving_median_ns`),
    exampleTraces: listOf(json["example_traces"], `${path}.example_traces`, asString),
    versions: Object.entries(asObject(json["versions"], `${path}.versions`)).map(([version, traces]) => [version, asNumber(traces, `${path}.versions`)] as const),
    state: stateOf(asString(json["state"], `${path}.state`)),
    decision: orNull(json["decision"], `${path}.decision`, decisionOf),
  };
}

/** A state that this UI does not know is one that nobody has closed. */
function stateOf(text: string): FindingState {
  return text === "acknowledged" || text === "resolved" || text === "regressed" ? text : "open";
}

function decisionOf(value: unknown, path: string): Decision {
  const json = asObject(value, path);
  return {
    version: orNull(json["version"], `${path}.version`, asString) ?? "", note: orNull(json["note"], `${path}.note`, asString) ?? "",
    changedMillis: asNumber(json["changed_unix_nano"], `${path}.changed_unix_nano`) / 1e6, foundIn: listOf(json["found_in"], `${path}.found_in`, asString),
  };
}

function trendOf(value: unknown, path: string): Trend {
  const json = asObject(value, path);
  return {
    startMillis: asNumber(json["start_unix_nano"], `${path}.start_unix_nano`) / 1e6, stepMillis: asNumber(json["step_ns"], `${path}.step_ns`) / 1e6,
    findings: listOf(json["findings"], `${path}.findings`, asNumber), savingNs: listOf(json["saving_ns"], `${path}.saving_ns`, asNumber),
  };
}

export function decodeGroups(value: unknown): GroupList {
  const json = asObject(value, "answer");
  return { groups: listOf(json["groups"], "groups", groupOf), total: asNumber(json["total"], "total") };
}

export function decodeGroup(value: unknown): WholeGroup {
  const json = asObject(value, "group");
  return { ...groupOf(json, "group"), recent: listOf(json["recent"], "group.recent", findingOf) };
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

/** Decides about a group; gives it as it is then. */
export async function decideGroup(key: string, wish: Wish): Promise<WholeGroup> {
  return decodeGroup(parse(await requestText(`/findings/${encodeURIComponent(key)}/state`, undefined, { method: "PUT", body: JSON.stringify(wish) })));
}

export async function fetchTraceFindings(traceId: string, signal?: AbortSignal): Promise<readonly Finding[]> {
  return decodeFindings(parse(await requestText(`/traces/${encodeURIComponent(traceId)}/findings`, signal)));
}
