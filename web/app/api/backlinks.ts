// Spans of any trace that link to one span.
import { runSql } from "./sql.ts";

export interface Backlink {
  readonly traceId: string;
  readonly spanId: string;
  readonly service: string;
  readonly name: string;
}

export const BACKLINKS_MAX = 100;

export async function fetchBacklinks(traceId: string, spanId: string, signal?: AbortSignal): Promise<Backlink[]> {
  const sql = "SELECT trace_id, span_id, service_name, span_name FROM links WHERE linked_trace_id = $1 AND linked_span_id = $2";
  const { rows } = await runSql(sql, { params: [traceId, spanId], rowsMax: BACKLINKS_MAX, ...(signal ? { signal } : {}) });
  return rows.map(([trace, span, service, name]) => ({ traceId: String(trace), spanId: String(span), service: String(service ?? ""), name: String(name ?? "") }));
}
