// How often each group of findings was seen over time, of all groups in one question.
import { runSql } from "./sql.ts";

/** Counts in stretches of one length, by the key of the group. */
export type Trends = ReadonlyMap<string, readonly number[]>;

const ROWS_MAX = 50_000;

export async function fetchTrends(fromMillis: number, toMillis: number, steps: number, signal?: AbortSignal): Promise<Trends> {
  const from = BigInt(Math.floor(fromMillis)) * 1_000_000n;
  const stepNs = Math.max(1, Math.ceil(((toMillis - fromMillis + 1) * 1e6) / steps));
  const at = `CAST(floor((CAST(first_seen AS BIGINT) - ${from}) / ${stepNs}.0) AS BIGINT)`;
  const { rows } = await runSql(`SELECT group_key, ${at} AS step, count(*) AS n FROM findings GROUP BY 1, 2`, { ...(signal ? { signal } : {}), rowsMax: ROWS_MAX });
  const trends = new Map<string, number[]>();
  for (const [key, step, count] of rows) {
    const place = Number(step);
    if (typeof key !== "string" || !(place >= 0 && place < steps)) continue;
    const trend = trends.get(key) ?? Array.from({ length: steps }, () => 0);
    trend[place] = Number(count);
    trends.set(key, trend);
  }
  return trends;
}
