// Attribute keys and values to complete, from a bounded look at the spans: completion must never be a query
// that a large store feels.
import { runSql, sqlText } from "./sql.ts";

const KEYS_FROM_SPANS = 2_000;
/** One column of them, so more are cheap; a rare key may still show no values. */
const VALUES_FROM_SPANS = 200_000;
const VALUES_MAX = 100;
/** Longer values are nothing one would choose from a list. */
const VALUE_CHARS_MAX = 200;

export async function fetchAttributeKeys(signal?: AbortSignal): Promise<string[]> {
  const sql = `SELECT k, count(*) AS n FROM (SELECT unnest(map_keys(attributes)) AS k FROM (SELECT attributes FROM spans LIMIT ${KEYS_FROM_SPANS})) GROUP BY k ORDER BY n DESC, k`;
  const { rows } = await runSql(sql, { rowsMax: 2_000, ...(signal ? { signal } : {}) });
  return rows.map((row) => String(row[0]));
}

/** The most frequent first. */
export async function fetchAttributeValues(key: string, signal?: AbortSignal): Promise<string[]> {
  const value = `coalesce(attribute(attributes, ${sqlText(key)}), attribute(resource_attributes, ${sqlText(key)}))`;
  const sql = `SELECT v, count(*) AS n FROM (SELECT ${value} AS v FROM spans LIMIT ${VALUES_FROM_SPANS}) WHERE v IS NOT NULL GROUP BY v ORDER BY n DESC, v`;
  const { rows } = await runSql(sql, { rowsMax: VALUES_MAX, ...(signal ? { signal } : {}) });
  return rows.map((row) => String(row[0])).filter((text) => text.length <= VALUE_CHARS_MAX);
}
