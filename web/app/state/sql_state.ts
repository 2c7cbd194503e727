// The SQL console: the statement being written, its answer, what was asked before, and the names to complete.
// A run puts the statement into the URL, so that a link asks the same question.
import { computed, signal } from "@preact/signals";
import { fetchAttributeKeys } from "../api/attribute_names.ts";
import { runSql, type SqlResult } from "../api/sql.ts";
import type { SqlTable, SqlWords } from "../model/sql_text.ts";
import { place, pushUrl, rewriteUrl } from "./location.ts";
import { keptList } from "./preferences.ts";
import { CancelledError, Remote } from "./remote.ts";

/** Enough to look at; more belongs into a file (`causeway sql`). */
export const SQL_ROWS_MAX = 10_000;
const HISTORY_MAX = 50;
/** Longer addresses are cut off by some programs. */
const URL_CHARS_MAX = 6_000;

export interface Asked {
  readonly sql: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly rows: number | null;
}

export type SqlView = "table" | "chart";

export const draft = signal("");
/** What the answer on screen is the answer to. */
export const asked = signal("");
export const answer = new Remote<SqlResult | null>();
export const startedAt = signal(0);
export const sqlView = signal<SqlView>("table");
export const sqlSort = signal("");
export const history = keptList<Asked>("sql_history", HISTORY_MAX, (value) => {
  const { sql, at, rows } = (value ?? {}) as Partial<Asked>;
  return typeof sql === "string" && typeof at === "number" ? { sql, at, rows: typeof rows === "number" ? rows : null } : null;
});

export const tables = new Remote<readonly SqlTable[]>();
const functions = new Remote<readonly string[]>();
const attributes = new Remote<readonly string[]>();
export const words = computed<SqlWords>(() => ({
  tables: tables.state.value.value ?? [], functions: functions.state.value.value ?? [], attributes: attributes.state.value.value ?? [],
}));
let attributesAsked = false;

async function namesOf(sql: string, signal: AbortSignal): Promise<string[]> {
  return (await runSql(sql, { signal, rowsMax: 5_000 })).rows.map((row) => String(row[0]));
}

async function fetchTables(signal: AbortSignal): Promise<SqlTable[]> {
  const { rows } = await runSql("SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public'", { signal, rowsMax: 5_000 });
  const found = new Map<string, { name: string; type: string }[]>();
  for (const [table, name, type] of rows) {
    const columns = found.get(String(table)) ?? [];
    // Types of nested columns are pages long; their first word says enough.
    columns.push({ name: String(name), type: String(type).replace(/^Dictionary\(\w+, (\w+)\)$/, "$1").replace(/[(<].*$/s, "") });
    found.set(String(table), columns);
  }
  return [...found].map(([name, columns]) => ({ name, columns }));
}

/** Called when someone begins to write `attributes['`: nobody else needs the keys. */
export function wantAttributes(): void {
  if (attributesAsked) return;
  attributesAsked = true;
  void attributes.load(fetchAttributeKeys);
}

function urlOf(sql: string): string {
  const params = new URLSearchParams();
  if (sql !== "" && sql.length <= URL_CHARS_MAX) params.set("q", sql);
  if (sqlView.peek() === "chart") params.set("view", "chart");
  if (sqlSort.peek() !== "") params.set("sort", sqlSort.peek());
  return params.size === 0 ? "/sql" : `/sql?${params.toString()}`;
}

/** `step` = whether this is a new step of the browser's history, or what an address already asked for. */
export async function run(sql: string, view: SqlView = sqlView.peek(), sort = "", step = true): Promise<void> {
  const text = sql.trim().replace(/;\s*$/, "");
  if (text === "") return;
  sqlView.value = view;
  sqlSort.value = sort;
  asked.value = sql;
  startedAt.value = Date.now();
  if (step) pushUrl(urlOf(sql));
  await answer.load((signal) => runSql(text, { signal, rowsMax: SQL_ROWS_MAX }), false);
  const state = answer.state.peek();
  if (asked.peek() !== sql || state.status === "loading" || (state.status === "failed" && state.error instanceof CancelledError)) return;
  const entry: Asked = { sql, at: Date.now(), rows: state.status === "ready" ? (state.value?.rows.length ?? 0) : null };
  history.value = [entry, ...history.peek().filter((one) => one.sql !== sql)].slice(0, HISTORY_MAX);
}

export function explain(sql: string): void {
  const text = sql.trim().replace(/;\s*$/, "");
  void run(/^explain\b/i.test(text) ? sql : `EXPLAIN ${text}`, "table");
}

export function changeView(view: SqlView): void {
  sqlView.value = view;
  rewriteUrl(urlOf(asked.peek()));
}

export function changeSort(sort: string): void {
  sqlSort.value = sort;
  rewriteUrl(urlOf(asked.peek()));
}

/** Reads the address: a link's question is asked at once, as it can only read. */
export function startSql(): () => void {
  const { params } = place.peek();
  const sql = params.get("q") ?? "";
  if (tables.state.peek().status !== "ready") void tables.load(fetchTables);
  if (functions.state.peek().status !== "ready") void functions.load((signal) => namesOf("SELECT DISTINCT routine_name FROM information_schema.routines ORDER BY routine_name", signal));
  if (sql !== "" && sql !== asked.peek()) {
    draft.value = sql;
    void run(sql, params.get("view") === "chart" ? "chart" : "table", params.get("sort") ?? "", false);
  } else if (sql === "" && asked.peek() !== "") {
    rewriteUrl(urlOf(asked.peek()));
  }
  return () => {
    if (answer.state.peek().status === "loading") answer.cancel();
  };
}
