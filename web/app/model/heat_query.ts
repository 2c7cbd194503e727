// The heatmap of a search: how many spans match, by start time and duration. It asks about spans, as the
// search does (a trace is found when one of its spans fits everything), so a box drawn around cells finds just
// their traces. Without any filter the root spans stand for their traces.
import { sqlText } from "../api/sql.ts";
import { parseDuration } from "../base/units.ts";
import type { SearchQuery } from "./search_query.ts";

export const HEAT_COLUMNS = 72;
/** Rows per power of ten of duration. */
const HEAT_ROWS_PER_DECADE = 4;

export interface HeatCell {
  readonly column: number;
  readonly row: number;
  readonly count: number;
  readonly errors: number;
}

export interface HeatGrid {
  /** Milliseconds since 1970. */
  readonly timeStart: number;
  readonly timeEnd: number;
  readonly cells: readonly HeatCell[];
  readonly spans: number;
  /** Whether these are the root spans because nothing is filtered. */
  readonly rootsOnly: boolean;
}

const RELATIVE = /^-(\d+(?:\.\d+)?)(s|m|h|d)$/;
const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A time of the search in milliseconds since 1970; null when there is none, or none that can be read. */
export function millisOfTime(text: string, now: number): number | null {
  const relative = RELATIVE.exec(text);
  if (relative !== null) return now - Number(relative[1]) * (UNIT_MS[relative[2] ?? ""] ?? 0);
  const millis = Date.parse(text);
  return Number.isNaN(millis) ? null : millis;
}

export const isUnfiltered = (query: SearchQuery): boolean =>
  query.service === "" && query.operation === "" && query.status === "" && query.minDuration === "" && query.maxDuration === "" && query.finding === "" && query.attributes.length === 0;

/** The conditions on a row of `spans`, as SQL. */
export function heatConditions(query: SearchQuery, now: number): string {
  const all = ["start_time_unix_nano > 0", "duration_ns >= 0"];
  if (query.service !== "") all.push(`service_name = ${sqlText(query.service)}`);
  if (query.operation !== "") all.push(`name = ${sqlText(query.operation)}`);
  if (query.status === "error") all.push("status_code = 2");
  else if (query.status === "ok") all.push("status_code = 1");
  else if (query.status === "unset") all.push("coalesce(status_code, 0) = 0");
  for (const attribute of query.attributes) {
    const at = attribute.indexOf("=");
    const [key, value] = [sqlText(attribute.slice(0, at)), sqlText(attribute.slice(at + 1))];
    all.push(`(attribute(attributes, ${key}) = ${value} OR attribute(resource_attributes, ${key}) = ${value})`);
  }
  const [min, max] = [parseDuration(query.minDuration), parseDuration(query.maxDuration)];
  if (min !== null) all.push(`duration_ns >= ${Math.round(min)}`);
  if (max !== null) all.push(`duration_ns <= ${Math.round(max)}`);
  if (query.finding !== "") {
    const column = /^[0-9a-f]{32}$/.test(query.finding) ? "group_key" : "detector";
    all.push(`trace_id IN (SELECT trace_id FROM findings${query.finding === "*" ? "" : ` WHERE ${column} = ${sqlText(query.finding)}`})`);
  }
  const [start, end] = [millisOfTime(query.start, now), millisOfTime(query.end, now)];
  if (start !== null) all.push(`start_time >= ${sqlText(new Date(start).toISOString())}`);
  if (end !== null) all.push(`start_time <= ${sqlText(new Date(end).toISOString())}`);
  if (isUnfiltered(query)) all.push("parent_span_id IS NULL");
  return all.join(" AND ");
}

export const extentSql = (conditions: string): string =>
  `SELECT min(start_time_unix_nano) AS first, max(start_time_unix_nano) AS last, count(*) AS spans FROM spans WHERE ${conditions}`;

/** `startNs` and `stepNs` in nanoseconds, the first as digits because it does not fit a number. */
export const cellsSql = (conditions: string, startNs: string, stepNs: number): string =>
  `SELECT CAST(floor((CAST(start_time_unix_nano AS BIGINT) - ${startNs}) / ${stepNs}.0) AS BIGINT) AS x, CAST(floor(log10(greatest(duration_ns, 1)) * ${HEAT_ROWS_PER_DECADE}) AS BIGINT) AS y, ` +
  `count(*) AS n, count(*) FILTER (WHERE status_code = 2) AS errors FROM spans WHERE ${conditions} GROUP BY x, y`;

/** The durations of a row of cells, in ns. */
export const rowDurations = (row: number): { readonly from: number; readonly to: number } => ({
  from: 10 ** (row / HEAT_ROWS_PER_DECADE), to: 10 ** ((row + 1) / HEAT_ROWS_PER_DECADE),
});
