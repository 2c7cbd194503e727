// The rows that findings are about, so that `finding:` in a search of the trace marks them. A finding is named by its
// id, by the key of its group (which links from other pages know) or by its detector (which people can type).
import type { Finding } from "../api/findings.ts";
import type { TraceColumns } from "../api/trace_columns.ts";
import { spanIdOf } from "./span_row.ts";

/** Rows by each name of a finding, in lower case. */
export type FindingRows = ReadonlyMap<string, ReadonlySet<number>>;

export function findingRows(trace: TraceColumns, findings: readonly Finding[]): FindingRows {
  const wanted = new Set(findings.flatMap((one) => one.spanIds));
  const rowsOfId = new Map<string, number[]>();
  for (let row = 0; wanted.size > 0 && row < trace.rowCount; row++) {
    const id = spanIdOf(trace, row);
    if (wanted.has(id)) rowsOfId.set(id, [...(rowsOfId.get(id) ?? []), row]);
  }
  const all = new Map<string, Set<number>>();
  for (const { findingId, groupKey, detector, spanIds } of findings) {
    for (const name of [findingId, groupKey, detector]) {
      const rows = all.get(name.toLowerCase()) ?? new Set<number>();
      for (const id of spanIds) for (const row of rowsOfId.get(id) ?? []) rows.add(row);
      all.set(name.toLowerCase(), rows);
    }
  }
  return all;
}

export const findingTerm = (name: string): string => `finding:${name}`;

/** Findings about many traces may be of none in particular; their id is all zeros then. */
export const isTraceId = (id: string): boolean => /[^0]/.test(id);

/** A trace, opened in the timeline at what a finding is about. */
export function traceAtFinding(traceId: string, name: string, spanId?: string): string {
  const params = new URLSearchParams({ ...(spanId === undefined ? {} : { span: spanId }), find: findingTerm(name) });
  return `/trace/${traceId}?${params.toString()}`;
}
