// Beside the editor: questions to start from, the tables with their columns, and what was asked before.
import { useState } from "preact/hooks";
import { lineOf } from "../../base/text.ts";
import { formatAge } from "../../base/time.ts";
import { plural } from "../../base/units.ts";
import { draft, history, run, tables } from "../../state/sql_state.ts";
import { Icon } from "../../ui/icon.tsx";
import { EXAMPLES } from "./examples.ts";

const PARTS = ["Questions", "Tables", "History"] as const;
type Part = (typeof PARTS)[number];

export function SqlSide() {
  const [part, setPart] = useState<Part>("Questions");
  const move = (event: KeyboardEvent): void => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    const next = PARTS[(PARTS.indexOf(part) + step + PARTS.length) % PARTS.length];
    if (step === 0 || next === undefined) return;
    setPart(next);
    document.getElementById(`sql-part-${next}`)?.focus();
  };
  return (
    <aside class="sql-side" aria-label="Help with SQL">
      <div class="parts" role="tablist" aria-label="Help with SQL" onKeyDown={move}>
        {PARTS.map((one) => (
          <button key={one} id={`sql-part-${one}`} type="button" role="tab" aria-selected={one === part} aria-controls="sql-part" tabIndex={one === part ? 0 : -1} onClick={() => setPart(one)}>
            {one}
          </button>
        ))}
      </div>
      <div class="part" id="sql-part" role="tabpanel" aria-labelledby={`sql-part-${part}`}>
        {part === "Questions" ? <Questions /> : part === "Tables" ? <Tables /> : <History />}
      </div>
    </aside>
  );
}

function ask(sql: string, view: "table" | "chart" = "table"): void {
  draft.value = sql;
  void run(sql, view);
}

function Questions() {
  return (
    <ul class="questions">
      {EXAMPLES.map(({ title, sql, chart }) => (
        <li key={title}>
          <button type="button" onClick={() => ask(sql, chart === true ? "chart" : "table")}>{title}</button>
        </li>
      ))}
    </ul>
  );
}

function Tables() {
  const state = tables.state.value;
  if (state.status === "failed") return <p class="hint">The tables could not be listed: {state.error.message}</p>;
  if (state.value === null) return <p class="hint" role="status">Loading…</p>;
  const insert = (name: string): void => {
    draft.value = draft.peek() === "" ? `SELECT * FROM ${name} LIMIT 100` : `${draft.peek()}${/\s$/.test(draft.peek()) ? "" : " "}${name}`;
  };
  return (
    <>
      {state.value.map(({ name, columns }) => (
        <details key={name} class="table">
          <summary>
            <code>{name}</code>
            <small>{plural(columns.length, "column")}</small>
          </summary>
          <button type="button" class="button quiet small" onClick={() => ask(`SELECT * FROM ${name} LIMIT 100`)}>First rows</button>
          <ul>
            {columns.map((column) => (
              <li key={column.name}>
                <button type="button" title="Put it into the statement" onClick={() => insert(column.name)}><code>{column.name}</code></button>
                <small>{column.type}</small>
              </li>
            ))}
          </ul>
        </details>
      ))}
    </>
  );
}

function History() {
  const list = history.value;
  if (list.length === 0) return <p class="hint">What you run is kept here, in this browser only.</p>;
  const now = Date.now();
  return (
    <>
      <ul class="questions">
        {list.map(({ sql, at, rows }) => (
          <li key={sql}>
            <button type="button" title={lineOf(sql, 600)} onClick={() => ask(sql)}>
              <code>{lineOf(sql.replace(/\s+/g, " "), 160)}</code>
              <small>{formatAge(at, now)} · {rows === null ? "failed" : plural(rows, "row")}</small>
            </button>
          </li>
        ))}
      </ul>
      <button type="button" class="button quiet small" onClick={() => (history.value = [])}>
        <Icon name="close" />
        Forget all
      </button>
    </>
  );
}
