// Attribute keys and values to complete, from a bounded look at the spans: completion must never be a query
// that a large store feels.
import { runSql, sqlText } from "./sql.ts";

const KEYS_FROM_SPANS = 2_000;
const VALUES_FROM_SPANS = 20_000;
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
  const value = `attributes[${sqlText(key)}]`;
  const sql = `SELECT v, count(*) AS n FROM (SELECT ${value} AS v FROM spans WHERE ${value} IS NOT NULL LIMIT ${VALUES_FROM_SPANS}) GROUP BY v ORDER BY n DESC, v`;
  const { rows } = await runSql(sql, { rowsMax: VALUES_MAX, ...(signal ? { signal } : {}) });
  return rows.map((row) => String(row[0])).filter((text) => text.length <= VALUE_CHARS_MAX);
}
