// How to find what was just imported: a search over the time that its spans are from.
import { sqlText } from "../api/sql.ts";
import { millisOf } from "../base/time.ts";
import { EMPTY_QUERY, searchUrl } from "./search_query.ts";

/** Milliseconds around, as searches know no finer time. */
const MARGIN_MS = 1;

export function importedTimesSql(traceIds: readonly string[]): string {
  return `SELECT min(start_time_unix_nano) AS first, max(start_time_unix_nano) AS last FROM spans WHERE trace_id IN (${traceIds.map(sqlText).join(", ")})`;
}

/** From a row of that question; null where nothing has a usable time. */
export function searchOfImported([first, last]: readonly unknown[]): string | null {
  const [from, to] = [new Date(millisOf(String(first)) - MARGIN_MS), new Date(millisOf(String(last)) + 2 * MARGIN_MS)];
  if (Number.isNaN(from.getTime() + to.getTime())) return null;
  return searchUrl({ ...EMPTY_QUERY, start: from.toISOString(), end: to.toISOString() });
}
