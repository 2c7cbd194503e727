// What a SQL answer looks like as a chart: numbers over time where there is a time, else one bar per name.
// Every column of numbers gets a chart of its own, as their units differ.
import type { SqlResult } from "../api/sql.ts";
import type { ChartLine, ChartPoint } from "./chart_lines.ts";
import { isNumberColumn, isTimeColumn, valueText } from "./sql_values.ts";

export interface LineChart {
  readonly kind: "lines";
  readonly title: string;
  readonly lines: readonly ChartLine[];
  readonly linesLeftOff: number;
}

export interface BarChart {
  readonly kind: "bars";
  readonly title: string;
  readonly bars: readonly { readonly name: string; readonly value: number }[];
  readonly barsLeftOff: number;
}

export type Chart = LineChart | BarChart;

const CHARTS_MAX = 6;
export const LINES_MAX = 8;
export const BARS_MAX = 50;

const EPOCH_COLUMN = /_unix_nano$/;

function lineChart(result: SqlResult, time: number, name: number, value: number): LineChart {
  const lines = new Map<string, ChartPoint[]>();
  for (const row of result.rows) {
    const x = Date.parse(String(row[time]));
    const y = row[value] === null ? Number.NaN : Number(row[value]);
    if (Number.isNaN(x) || Number.isNaN(y)) continue;
    const key = name < 0 ? "" : (valueText(row[name]) ?? "null");
    const points = lines.get(key) ?? [];
    points.push({ x, y });
    lines.set(key, points);
  }
  const weight = (points: readonly ChartPoint[]): number => points.reduce((sum, one) => sum + Math.abs(one.y), 0);
  const order = [...lines].sort((a, b) => weight(b[1]) - weight(a[1]));
  const shown = order.slice(0, LINES_MAX).map(([key, points]) => ({ name: key, points: points.sort((a, b) => a.x - b.x) }));
  return { kind: "lines", title: result.columns[value]?.name ?? "", lines: shown, linesLeftOff: order.length - shown.length };
}

function barChart(result: SqlResult, names: readonly number[], value: number): BarChart {
  const bars = result.rows.flatMap((row) => {
    const number = row[value] === null ? Number.NaN : Number(row[value]);
    return Number.isNaN(number) ? [] : [{ name: names.map((at) => valueText(row[at]) ?? "null").join(" · "), value: number }];
  });
  return { kind: "bars", title: result.columns[value]?.name ?? "", bars: bars.slice(0, BARS_MAX), barsLeftOff: Math.max(0, bars.length - BARS_MAX) };
}

/** Empty when the answer has no numbers, or nothing to set them against. */
export function chartsOf(result: SqlResult): Chart[] {
  const { columns } = result;
  const time = columns.findIndex(isTimeColumn);
  const numbers = [...columns.keys()].filter((at) => {
    const column = columns[at];
    return column !== undefined && isNumberColumn(column) && !EPOCH_COLUMN.test(column.name);
  }).slice(0, CHARTS_MAX);
  const names = [...columns.keys()].filter((at) => {
    const column = columns[at];
    return column !== undefined && at !== time && /^(Utf8|Dictionary|Boolean)/.test(column.type) && !/span_id$/.test(column.name);
  });
  // Rows of single traces or spans have a time too, but each is a thing of its own.
  const isSeries = time >= 0 && !names.some((at) => /trace_id$/.test(columns[at]?.name ?? ""));
  if (result.rows.length === 0) return [];
  if (isSeries) return numbers.map((value) => lineChart(result, time, names[0] ?? -1, value));
  return names.length === 0 ? [] : numbers.map((value) => barChart(result, names.slice(0, 3), value));
}
