// SQL as text in an editor: its tokens for highlighting, and what could be typed at a place.

export type SqlTokenKind = "keyword" | "text" | "number" | "comment" | "name" | "quoted" | "sign" | "space";

export interface SqlToken {
  readonly kind: SqlTokenKind;
  readonly text: string;
}

const KEYWORDS = new Set(
  `all and any array as asc between by case cast cross current_date current_timestamp date day desc describe distinct else end
  except exists explain analyze extract false filter following for from full group having hour in inner intersect interval into is join lateral left like
  limit minute month natural not null nulls first last offset on or order outer over partition preceding range right rows second select show similar
  table tables then timestamp true unbounded union unnest using values when where window with within year ilike`.split(/\s+/),
);

// Unfinished texts and comments run to the end, as they do while they are being typed.
const TOKEN = /(--[^\n]*|\/\*[\s\S]*?(?:\*\/|$))|('(?:[^']|'')*(?:'|$))|("(?:[^"]|"")*(?:"|$))|(\d+(?:\.\d+)?(?:e[+-]?\d+)?)|([A-Za-z_][\w$]*)|(\s+)|([\s\S])/gy;

export function sqlTokens(sql: string): SqlToken[] {
  const tokens: SqlToken[] = [];
  for (const match of sql.matchAll(TOKEN)) {
    const [text, comment, literal, quoted, number, word, space] = match;
    const kind: SqlTokenKind =
      comment !== undefined ? "comment"
      : literal !== undefined ? "text"
      : quoted !== undefined ? "quoted"
      : number !== undefined ? "number"
      : word !== undefined ? (KEYWORDS.has(word.toLowerCase()) ? "keyword" : "name")
      : space !== undefined ? "space"
      : "sign";
    tokens.push({ kind, text });
  }
  return tokens;
}

export interface SqlTable {
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
}

export interface SqlWords {
  readonly tables: readonly SqlTable[];
  readonly functions: readonly string[];
  readonly attributes: readonly string[];
}

export interface Suggestion {
  /** What takes the place of the text from `start` to the cursor. */
  readonly text: string;
  readonly kind: "table" | "column" | "function" | "keyword" | "attribute";
  readonly detail: string;
}

export interface Suggestions {
  readonly start: number;
  readonly items: readonly Suggestion[];
}

const SUGGESTIONS_MAX = 40;
const NONE: Suggestions = { start: 0, items: [] };

/** Tables that the statement names, each by its name and its alias. */
function tablesIn(sql: string, tables: readonly SqlTable[]): Map<string, SqlTable> {
  const found = new Map<string, SqlTable>();
  const words = sqlTokens(sql).filter((one) => one.kind === "name" || one.kind === "keyword");
  words.forEach((word, i) => {
    const table = tables.find((one) => one.name === word.text.toLowerCase());
    if (table === undefined) return;
    found.set(table.name, table);
    const next = words[i + 1]?.text.toLowerCase() === "as" ? words[i + 2] : words[i + 1];
    if (next?.kind === "name") found.set(next.text.toLowerCase(), table);
  });
  return found;
}

const columnsOf = (table: SqlTable): Suggestion[] => table.columns.map(({ name, type }) => ({ text: name, kind: "column", detail: `${table.name} · ${type}` }));

/** Those that begin with the prefix, then those that contain it; an exact hit alone is no help. */
function matching(items: readonly Suggestion[], prefix: string): Suggestion[] {
  const wanted = prefix.toLowerCase();
  const known = new Set<string>();
  const fit = items.filter((one) => {
    const text = one.text.toLowerCase();
    if (!text.includes(wanted) || known.has(text)) return false;
    known.add(text);
    return true;
  });
  fit.sort((a, b) => Number(b.text.toLowerCase().startsWith(wanted)) - Number(a.text.toLowerCase().startsWith(wanted)));
  return fit.length === 1 && fit[0]?.text.toLowerCase() === wanted ? [] : fit.slice(0, SUGGESTIONS_MAX);
}

/** What could stand at the cursor. `asked` = the user wants to see it although nothing is typed yet. */
export function suggest(sql: string, cursor: number, words: SqlWords, asked: boolean): Suggestions {
  const before = sql.slice(0, cursor);
  const key = /attributes\s*\[\s*'([^']*)$/i.exec(before);
  if (key !== null) {
    const prefix = key[1] ?? "";
    const items = words.attributes.map((text): Suggestion => ({ text, kind: "attribute", detail: "attribute" }));
    return { start: cursor - prefix.length, items: matching(items, prefix) };
  }
  const last = sqlTokens(before).at(-1);
  if (last !== undefined && ["text", "comment", "quoted", "number"].includes(last.kind)) return NONE;
  const [, alias, prefix = ""] = /(?:([A-Za-z_]\w*)\.)?([A-Za-z_]\w*)?$/.exec(before) ?? [];
  const start = cursor - prefix.length;
  const named = tablesIn(sql, words.tables);
  if (alias !== undefined) {
    const table = named.get(alias.toLowerCase());
    return table === undefined ? NONE : { start, items: matching(columnsOf(table), prefix) };
  }
  if (prefix === "" && !asked) return NONE;
  const tables = words.tables.map((one): Suggestion => ({ text: one.name, kind: "table", detail: "table" }));
  if (/\b(?:from|join|describe)\s+\w*$/i.test(before)) return { start, items: matching(tables, prefix) };
  const columns = [...new Set(named.values())].flatMap(columnsOf);
  const all = words.tables.flatMap(columnsOf);
  const functions = words.functions.map((text): Suggestion => ({ text, kind: "function", detail: "function" }));
  const keywords = [...KEYWORDS].map((text): Suggestion => ({ text: text.toUpperCase(), kind: "keyword", detail: "" }));
  return { start, items: matching([...columns, ...(columns.length === 0 ? all : []), ...keywords, ...tables, ...functions], prefix) };
}
