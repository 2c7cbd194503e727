// Attributes of all spans of one trace, which the trace's columns leave out: asked for key by key, in SQL.
import { isPartial, type TraceColumns } from "./trace_columns.ts";
import { runSql, sqlText } from "./sql.ts";

/** One attribute over the rows of a trace, as an index into its values. */
export interface AttributeColumn {
  readonly key: string;
  readonly values: readonly string[];
  /** Index into `values` per row, or -1. */
  readonly index: Int32Array;
}

/** Keys beyond this would not fit any menu. */
const KEYS_MAX = 500;

const idText = (high: number, low: number): string => high.toString(16).padStart(8, "0") + low.toString(16).padStart(8, "0");

/** Keys of spans (by how many have them), then those of resources. */
export async function fetchTraceKeys(traceId: string, signal?: AbortSignal): Promise<string[]> {
  const [spans, resources] = await Promise.all([
    runSql("SELECT k, count(*) AS n FROM (SELECT unnest(map_keys(attributes)) AS k FROM spans WHERE trace_id = $1) GROUP BY k ORDER BY n DESC, k", { params: [traceId], rowsMax: KEYS_MAX, ...(signal ? { signal } : {}) }),
    runSql("SELECT DISTINCT resource_attributes FROM spans WHERE trace_id = $1", { params: [traceId], rowsMax: KEYS_MAX, ...(signal ? { signal } : {}) }),
  ]);
  const keys = new Set(spans.rows.map((row) => String(row[0])));
  for (const [resource] of resources.rows) {
    if (typeof resource === "object" && resource !== null) for (const key of Object.keys(resource)) keys.add(key);
  }
  return [...keys].slice(0, KEYS_MAX);
}

/** A span's own attribute, else its resource's. Spans that share an id share the value. */
export async function fetchAttribute(trace: TraceColumns, key: string, signal?: AbortSignal): Promise<AttributeColumn> {
  const literal = sqlText(key);
  const sql = `SELECT span_id, COALESCE(attribute(attributes, ${literal}), attribute(resource_attributes, ${literal})) AS value FROM spans WHERE trace_id = $1${partCondition(trace)}`;
  const { rows } = await runSql(sql, { params: [trace.traceId], rowsMax: trace.totalRows + 1, ...(signal ? { signal } : {}) });
  const byId = new Map(rows.map((row) => [String(row[0]), row[1]]));
  return attributeColumn(trace, key, (spanId) => byId.get(spanId) ?? null);
}

/** Of a trace that is here in part: what all of its rows have in common, so that hardly more of them are asked for. */
export function partCondition(trace: TraceColumns): string {
  if (!isPartial(trace) || trace.start.some(Number.isNaN)) return "";
  const unixNano = (offset: number): bigint => BigInt(trace.startUnixNano) + BigInt(Math.round(offset));
  const leaves = trace.start.filter((_, row) => trace.subtree[row] === 1);
  const [first, last] = leaves.reduce(([least, most], one) => [Math.min(least, one), Math.max(most, one)], [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
  const shortest = (durations: Float64Array): number => durations.reduce((least, one) => Math.min(least, one), Number.POSITIVE_INFINITY);
  const others = trace.duration.filter((_, row) => !((trace.start[row] ?? 0) >= first && (trace.start[row] ?? 0) <= last));
  const inTime = `start_time_unix_nano BETWEEN ${unixNano(first)} AND ${unixNano(last)}`;
  return ` AND duration_ns >= ${shortest(trace.duration)} AND (${inTime}${others.length === 0 ? "" : ` OR duration_ns >= ${shortest(others)}`})`;
}

export function attributeColumn(trace: TraceColumns, key: string, valueOf: (spanId: string) => unknown): AttributeColumn {
  const values: string[] = [];
  const known = new Map<string, number>();
  const index = new Int32Array(trace.rowCount).fill(-1);
  for (let row = 0; row < trace.rowCount; row++) {
    const value = valueOf(idText(trace.idHigh[row] ?? 0, trace.idLow[row] ?? 0));
    if (value === null || value === undefined) continue;
    const text = typeof value === "string" ? value : JSON.stringify(value);
    let at = known.get(text);
    if (at === undefined) {
      at = values.push(text) - 1;
      known.set(text, at);
    }
    index[row] = at;
  }
  return { key, values, index };
}
