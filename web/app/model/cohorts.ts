// Two sets of traces of one operation against each other: by version, before and after a moment, or one trace
// against all. What each operation within them takes is added up per trace; the median over traces is compared.
import type { SqlResult } from "../api/sql.ts";
import { sqlText } from "../api/sql.ts";

export type CohortSide =
  | { readonly kind: "all" }
  | { readonly kind: "trace"; readonly id: string }
  | { readonly kind: "version"; readonly version: string }
  | { readonly kind: "before" | "after"; readonly time: string };

/** The newest of a cohort: enough for medians, few enough to answer at once. */
export const COHORT_TRACES_MAX = 500;

/** `version:1.2`, `before:2026-11-20T12:00:00Z`, as part of an address; null when it means nothing. */
export function parseSide(text: string | null): CohortSide | null {
  const [, kind = "", rest = ""] = /^([a-z]+)(?::(.*))?$/s.exec(text ?? "") ?? [];
  if (kind === "all") return { kind };
  if (kind === "trace") return /^[0-9a-f]{32}$/.test(rest) ? { kind, id: rest } : null;
  if (kind === "version") return { kind, version: rest };
  return (kind === "before" || kind === "after") && !Number.isNaN(Date.parse(rest)) ? { kind, time: rest } : null;
}

export function sideText(side: CohortSide): string {
  return side.kind === "all" ? "all" : `${side.kind}:${side.kind === "trace" ? side.id : side.kind === "version" ? side.version : side.time}`;
}

export function sideLabel(side: CohortSide): string {
  switch (side.kind) {
    case "all":
      return "all traces";
    case "trace":
      return `trace ${side.id.slice(0, 8)}`;
    case "version":
      return side.version === "" ? "without a version" : `version ${side.version}`;
    default:
      return `${side.kind} ${side.time}`;
  }
}

function conditionOf(side: CohortSide): string {
  switch (side.kind) {
    case "all":
      return "";
    case "trace":
      return ` AND trace_id = ${sqlText(side.id)}`;
    case "version":
      return side.version === "" ? " AND service_version IS NULL" : ` AND service_version = ${sqlText(side.version)}`;
    default:
      return ` AND start_time_unix_nano ${side.kind === "before" ? "<" : ">="} ${BigInt(Date.parse(side.time)) * 1_000_000n}`;
  }
}

/** The roots of a cohort, newest first. */
function rootsSql(service: string, operation: string, side: CohortSide): string {
  return `SELECT trace_id, duration_ns FROM spans WHERE parent_span_id IS NULL AND service_name = ${sqlText(service)} AND name = ${sqlText(operation)}${conditionOf(side)} ORDER BY start_time DESC LIMIT ${COHORT_TRACES_MAX}`;
}

export function totalsSql(service: string, operation: string, side: CohortSide): string {
  return `SELECT count(*) AS traces, approx_percentile_cont(duration_ns, 0.5) AS p50, approx_percentile_cont(duration_ns, 0.95) AS p95 FROM (${rootsSql(service, operation, side)})`;
}

export function operationsSql(service: string, operation: string, side: CohortSide): string {
  return `WITH roots AS (${rootsSql(service, operation, side)}), parts AS (SELECT s.trace_id, s.service_name, s.name, count(*) AS calls, sum(s.duration_ns) AS total, count(*) FILTER (WHERE s.status_code = 2) AS errors FROM spans s JOIN roots ON s.trace_id = roots.trace_id GROUP BY 1, 2, 3) SELECT service_name, name, count(*) AS traces, approx_percentile_cont(calls, 0.5) AS calls, approx_percentile_cont(total, 0.5) AS total, sum(errors) AS errors FROM parts GROUP BY 1, 2`;
}

export function versionsSql(service: string, operation: string): string {
  return `SELECT service_version, count(*) AS traces FROM spans WHERE parent_span_id IS NULL AND service_name = ${sqlText(service)} AND name = ${sqlText(operation)} GROUP BY 1 ORDER BY 2 DESC LIMIT 50`;
}

export interface CohortTotals {
  readonly traces: number;
  readonly p50: number;
  readonly p95: number;
}

const numberOf = (value: unknown): number => (value === null || value === undefined ? Number.NaN : Number(value));

export function cohortTotals({ rows }: SqlResult): CohortTotals {
  const [traces, p50, p95] = rows[0] ?? [];
  return { traces: numberOf(traces) || 0, p50: numberOf(p50), p95: numberOf(p95) };
}

export const versionsOf = ({ rows }: SqlResult): { readonly version: string; readonly traces: number }[] =>
  rows.map(([version, traces]) => ({ version: typeof version === "string" ? version : "", traces: numberOf(traces) || 0 }));

/** Of one operation within the traces of a cohort. */
export interface CohortPart {
  /** Traces that have it. */
  readonly traces: number;
  readonly calls: number;
  readonly total: number;
  readonly errors: number;
}

export interface CohortRow {
  readonly service: string;
  readonly name: string;
  readonly a: CohortPart;
  readonly b: CohortPart;
}

const NOTHING: CohortPart = { traces: 0, calls: 0, total: 0, errors: 0 };

/** What differs most first. */
export function cohortRows(a: SqlResult, b: SqlResult): CohortRow[] {
  const rows = new Map<string, { service: string; name: string; a: CohortPart; b: CohortPart }>();
  for (const [side, result] of [["a", a], ["b", b]] as const) {
    for (const [service, name, traces, calls, total, errors] of result.rows) {
      const key = JSON.stringify([service, name]);
      const row = rows.get(key) ?? { service: String(service ?? ""), name: String(name ?? ""), a: NOTHING, b: NOTHING };
      row[side] = { traces: numberOf(traces) || 0, calls: numberOf(calls) || 0, total: numberOf(total) || 0, errors: numberOf(errors) || 0 };
      rows.set(key, row);
    }
  }
  const difference = (row: CohortRow): number => Math.abs(row.b.total - row.a.total);
  return [...rows.values()].sort((x, y) => difference(y) - difference(x) || (x.service + x.name < y.service + y.name ? -1 : 1));
}
