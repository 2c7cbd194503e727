// SQL over the server's tables. 64-bit integers come as strings, because JSON.parse would round them.
import { parse, requestText } from "./client.ts";
import { asArray, asBoolean, asNumber, asObject, asString, DecodeError, listOf } from "./decode.ts";

export interface SqlColumn {
  readonly name: string;
  /** Arrow's name of the type. */
  readonly type: string;
}

export interface SqlResult {
  readonly columns: readonly SqlColumn[];
  readonly rows: readonly (readonly unknown[])[];
  /** The server left rows off at its limit. */
  readonly truncated: boolean;
  readonly elapsedMs: number;
}

export interface SqlOptions {
  readonly signal?: AbortSignal;
  readonly params?: readonly unknown[];
  readonly rowsMax?: number;
}

export async function runSql(sql: string, { signal, params, rowsMax }: SqlOptions = {}): Promise<SqlResult> {
  const path = `/sql?bigint=string${rowsMax === undefined ? "" : `&limit=${rowsMax}`}`;
  const body = JSON.stringify(params === undefined ? { sql } : { sql, params });
  return decodeSqlResult(parse(await requestText(path, signal, { method: "POST", body })));
}

export function decodeSqlResult(value: unknown): SqlResult {
  const json = asObject(value, "answer");
  const columns = listOf(json["columns"], "columns", (one, path) => {
    const column = asObject(one, path);
    return { name: asString(column["name"], `${path}.name`), type: asString(column["type"], `${path}.type`) };
  });
  const rows = listOf(json["rows"], "rows", asArray);
  const wrong = rows.findIndex((row) => row.length !== columns.length);
  if (wrong >= 0) throw new DecodeError(`rows[${wrong}]`, `${columns.length} values long`, rows[wrong]);
  return {
    columns, rows,
    truncated: asBoolean(json["truncated"], "truncated"),
    elapsedMs: asNumber(json["elapsed_ms"], "elapsed_ms"),
  };
}

/** A text as a literal of SQL. */
export const sqlText = (text: string): string => `'${text.replaceAll("'", "''")}'`;
