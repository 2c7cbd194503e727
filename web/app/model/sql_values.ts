// The values of a SQL answer: as text for people, as CSV and JSON for programs, in order, and as links.
import type { SqlColumn, SqlResult } from "../api/sql.ts";

export type Row = readonly unknown[];

export const isNumberColumn = ({ type }: SqlColumn): boolean => /^(U?Int|Float|Decimal)/.test(type);
export const isTimeColumn = ({ type }: SqlColumn): boolean => /^(Timestamp|Date)/.test(type);

/** null for null. */
export function valueText(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

export function csvText({ columns, rows }: Pick<SqlResult, "columns" | "rows">): string {
  const field = (text: string): string => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return [columns.map((one) => field(one.name)), ...rows.map((row) => row.map((value) => field(valueText(value) ?? "")))].map((line) => line.join(",")).join("\n");
}

/** An array of objects. Integers came as texts and leave as exact numbers. */
export function jsonText({ columns, rows }: Pick<SqlResult, "columns" | "rows">): string {
  const numbers = columns.map(isNumberColumn);
  const one = (value: unknown, column: number): string =>
    numbers[column] === true && typeof value === "string" && /^-?\d+$/.test(value) ? value : JSON.stringify(value ?? null);
  const lines = rows.map((row) => `  {${columns.map(({ name }, i) => `${JSON.stringify(name)}: ${one(row[i], i)}`).join(", ")}}`);
  return `[\n${lines.join(",\n")}\n]`;
}

/** `-2` = by the third column, largest first; nulls last. */
export function sortRows(result: Pick<SqlResult, "columns" | "rows">, sort: string): readonly Row[] {
  if (sort === "") return result.rows;
  const at = Number(sort.replace("-", ""));
  const column = result.columns[at];
  if (column === undefined) return result.rows;
  const sign = sort.startsWith("-") ? -1 : 1;
  const numeric = isNumberColumn(column);
  const compare = (a: string, b: string): number => (numeric ? compareNumbers(a, b) : a < b ? -1 : a > b ? 1 : 0);
  const keyed = result.rows.map((row) => ({ row, key: valueText(row[at]) }));
  keyed.sort((a, b) => (a.key === null || b.key === null ? Number(a.key === null) - Number(b.key === null) : sign * compare(a.key, b.key)));
  return keyed.map((one) => one.row);
}

function compareNumbers(a: string, b: string): number {
  const difference = Number(a) - Number(b);
  if (difference !== 0 || !/^-?\d{16,}$/.test(a) || !/^-?\d{16,}$/.test(b)) return difference;
  return BigInt(a) < BigInt(b) ? -1 : BigInt(a) > BigInt(b) ? 1 : 0;
}

/** The trace (and span, where the row names one) that a value leads to, else null. */
export function linkOf(columns: readonly SqlColumn[], row: Row, column: number): string | null {
  const name = columns[column]?.name ?? "";
  const value = row[column];
  if (typeof value !== "string") return null;
  const spanOf = (prefix: string): string => {
    const at = columns.findIndex((one) => one.name === `${prefix}span_id`);
    const span = row[at];
    return typeof span === "string" && /^[0-9a-f]{16}$/.test(span) ? `?span=${span}` : "";
  };
  if (/(^|_)trace_id$/.test(name) && /^[0-9a-f]{32}$/.test(value)) return `/trace/${value}${spanOf(name.slice(0, -"trace_id".length))}`;
  if (!/(^|_)span_id$/.test(name) || !/^[0-9a-f]{16}$/.test(value)) return null;
  const prefix = name.slice(0, -"span_id".length);
  const trace = row[columns.findIndex((one) => one.name === `${prefix}trace_id`)] ?? row[columns.findIndex((one) => one.name === "trace_id")];
  return typeof trace === "string" && /^[0-9a-f]{32}$/.test(trace) ? `/trace/${trace}?span=${value}` : null;
}

/** Wide enough for what is in the first rows, within reason. */
export function columnWidth(column: SqlColumn, rows: readonly Row[], at: number): number {
  let chars = column.name.length + 2;
  // Durations are also said in words, which take some more room.
  const more = isNumberColumn(column) && /_ns$/.test(column.name) ? 9 : 0;
  for (const row of rows.slice(0, 200)) chars = Math.max(chars, (valueText(row[at]) ?? "null").length + more);
  return Math.min(420, Math.max(72, Math.ceil(chars * 8) + 24));
}
