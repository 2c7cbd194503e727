// The answer: a table of any length, or charts, or the text of a plan. A row opens with all its values.
import { useMemo, useState } from "preact/hooks";
import type { SqlColumn, SqlResult } from "../../api/sql.ts";
import { blockOf, lineOf } from "../../base/text.ts";
import { formatCount, formatDuration } from "../../base/units.ts";
import { columnWidth, csvText, isNumberColumn, jsonText, linkOf, sortRows, valueText, type Row } from "../../model/sql_values.ts";
import { changeSort, SQL_ROWS_MAX, sqlSort, sqlView } from "../../state/sql_state.ts";
import { CopyButton } from "../../ui/copy_button.tsx";
import { Icon } from "../../ui/icon.tsx";
import { Modal } from "../../ui/modal.tsx";
import { Notice } from "../../ui/notice.tsx";
import { VirtualTable, type TableColumn } from "../../ui/virtual_table.tsx";
import { Charts } from "./charts.tsx";
import "./results.css";

export function Results({ result }: { readonly result: SqlResult }) {
  const plan = result.columns.some((one) => one.name === "plan_type");
  if (plan) return <Plan result={result} />;
  if (result.rows.length === 0) {
    return (
      <Notice icon="search" title="No rows">
        <p>The statement ran; nothing fits it.</p>
      </Notice>
    );
  }
  return (
    <section class="sql-results" aria-label="Answer">
      {sqlView.value === "chart" ? <Charts result={result} /> : <Rows result={result} />}
    </section>
  );
}

function Rows({ result }: { readonly result: SqlResult }) {
  const sort = sqlSort.value;
  const rows = useMemo(() => sortRows(result, sort), [result, sort]);
  const widths = useMemo(() => result.columns.map((column, i) => columnWidth(column, result.rows, i)), [result]);
  const [chosen, setChosen] = useState(-1);
  const [open, setOpen] = useState(-1);
  const columns = result.columns.map((column, i): TableColumn => ({
    id: String(i), label: lineOf(column.name, 80), title: column.type, number: isNumberColumn(column), sortable: true,
    width: `minmax(${widths[i] ?? 80}px, ${isNumberColumn(column) ? "auto" : "1fr"})`,
  }));
  return (
    <>
      <div class="bar">
        <CopyButton text={() => csvText({ columns: result.columns, rows })} what="rows as CSV" label="CSV" />
        <CopyButton text={() => jsonText({ columns: result.columns, rows })} what="rows as JSON" label="JSON" />
        {result.truncated ? <span class="note">There are more rows than the {formatCount(SQL_ROWS_MAX)} that this page loads.</span> : null}
      </div>
      <VirtualTable
        label="Rows" columns={columns} widthMin={widths.reduce((sum, one) => sum + one, 0)} count={rows.length} sort={sort} onSort={changeSort}
        chosen={chosen} onChoose={setChosen} onOpen={setOpen} cell={(position, column) => <Cell columns={result.columns} row={rows[position] ?? []} at={Number(column.id)} />}
      />
      <RowDialog columns={result.columns} row={rows[open] ?? null} position={open} close={() => setOpen(-1)} />
    </>
  );
}

interface CellProps {
  readonly columns: readonly SqlColumn[];
  readonly row: Row;
  readonly at: number;
}

function Cell({ columns, row, at }: CellProps) {
  const text = valueText(row[at]);
  if (text === null) return <span class="null">null</span>;
  const link = linkOf(columns, row, at);
  if (link !== null) return <a class="mono" href={link}>{text}</a>;
  const column = columns[at];
  const numeric = column !== undefined && isNumberColumn(column);
  const duration = numeric && /_ns$/.test(column.name) ? formatDuration(Number(text)) : "";
  return numeric ? <span title={duration}>{text}{duration === "" ? null : <small> {duration}</small>}</span> : <bdi dir="auto">{lineOf(text)}</bdi>;
}

interface RowDialogProps {
  readonly columns: readonly SqlColumn[];
  readonly row: Row | null;
  readonly position: number;
  readonly close: () => void;
}

function RowDialog({ columns, row, position, close }: RowDialogProps) {
  return (
    <Modal class="sql-row" open={row !== null} close={close} title="sql-row-title">
      <header>
        <h2 id="sql-row-title">Row {formatCount(position + 1)}</h2>
        <button type="button" class="button quiet small icon" aria-label="Close" onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      <dl>
        {row === null ? null : columns.map((column, i) => {
          const value = row[i];
          const text = value === null || value === undefined ? null : typeof value === "object" ? JSON.stringify(value, null, 2) : String(value);
          const link = linkOf(columns, row, i);
          return (
            <div key={i}>
              <dt>
                {lineOf(column.name, 80)}
                <small>{lineOf(column.type, 60)}</small>
              </dt>
              <dd>
                {text === null ? <span class="null">null</span> : link !== null ? <a class="mono" href={link}>{text}</a> : <bdi dir="auto">{blockOf(text, 20_000)}</bdi>}
                {text === null ? null : <CopyButton text={text} what={lineOf(column.name, 60)} />}
              </dd>
            </div>
          );
        })}
      </dl>
    </Modal>
  );
}

/** Plans are trees in text, so they keep their lines. */
function Plan({ result }: { readonly result: SqlResult }) {
  return (
    <section class="sql-plan" aria-label="Plan">
      {result.rows.map((row, i) => (
        <div key={i}>
          <h2>
            {valueText(row[0]) ?? ""}
            <CopyButton text={valueText(row[1]) ?? ""} what="plan" />
          </h2>
          <pre tabIndex={0}>{blockOf(valueText(row[1]) ?? "")}</pre>
        </div>
      ))}
    </section>
  );
}
