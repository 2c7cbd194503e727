// The heatmap's numbers, in two questions: over which time, and how many in each cell.
import { runSql } from "./sql.ts";

export interface HeatCounts {
  /** Nanoseconds since 1970, as digits. */
  readonly startNs: string;
  readonly stepNs: number;
  readonly spans: number;
  readonly rows: readonly (readonly [x: number, y: number, count: number, errors: number])[];
}

/** More cells than any screen has. */
const CELLS_MAX = 20_000;

interface Sql {
  readonly extent: string;
  readonly cells: (startNs: string, stepNs: number) => string;
  readonly columns: number;
}

export async function fetchHeat({ extent, cells, columns }: Sql, signal?: AbortSignal): Promise<HeatCounts> {
  const options = signal ? { signal } : {};
  const [first = null, last = null, spans = 0] = (await runSql(extent, options)).rows[0] ?? [];
  if (first === null || last === null || Number(spans) === 0) return { startNs: "0", stepNs: 1, spans: 0, rows: [] };
  const start = BigInt(String(first));
  // One more than the range, so that the last span falls into the last cell.
  const stepNs = Math.max(1, Math.ceil((Number(BigInt(String(last)) - start) + 1) / columns));
  const { rows } = await runSql(cells(String(start), stepNs), { ...options, rowsMax: CELLS_MAX });
  return {
    startNs: String(start), stepNs, spans: Number(spans),
    rows: rows.map((row) => [Number(row[0]), Number(row[1]), Number(row[2]), Number(row[3])] as const).filter((row) => row.every(Number.isFinite)),
  };
}
