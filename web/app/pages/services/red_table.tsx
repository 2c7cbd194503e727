// Services, operations or calls as rows: rate, errors, durations. A row leads to a page of its own.
import type { Red } from "../../api/services.ts";
import { formatCount, formatDuration } from "../../base/units.ts";
import { errorShare, formatRate, formatShare, networkShare, sortRed, type Sortable } from "../../model/services_view.ts";
import { navigate } from "../../state/location.ts";
import { ErrorIcon } from "../../ui/icon.tsx";
import { Text } from "../../ui/text.tsx";
import { Share, VirtualTable, type TableColumn } from "../../ui/virtual_table.tsx";

export interface RedRow extends Sortable {
  readonly href: string;
  /** Before the name: for calls their caller. */
  readonly caller?: string;
  /** Place in the palette of services. */
  readonly slot?: number;
}

export const redRow = (red: Red, more: Pick<RedRow, "name" | "href"> & Partial<RedRow>): RedRow => ({ findings: 0, network: Number.NaN, ...red, ...more });

type ColumnId = "name" | "requests" | "errors" | "p50" | "p95" | "p99" | "network" | "findings";

const COLUMNS: Readonly<Record<Exclude<ColumnId, "name">, TableColumn>> = {
  requests: { id: "requests", label: "Rate", width: "128px", number: true, sortable: true },
  errors: { id: "errors", label: "Errors", width: "104px", number: true, sortable: true, title: "Share of requests that failed" },
  p50: { id: "p50", label: "Median", width: "96px", number: true, sortable: true },
  p95: { id: "p95", label: "p95", width: "96px", number: true, sortable: true },
  p99: { id: "p99", label: "p99", width: "96px", number: true, sortable: true },
  network: { id: "network", label: "Network", width: "104px", number: true, sortable: true, title: "Median of what the caller waits beyond the duration of the call" },
  findings: { id: "findings", label: "Findings", width: "96px", number: true, sortable: true, title: "Kinds of findings whose title names it" },
};
const ROW_PIXELS = 30;
const TOUCH_ROW_PIXELS = 40;
const ROWS_MOST = 14;

interface Props {
  readonly label: string;
  /** Heading of the first column. */
  readonly noun: string;
  readonly rows: readonly RedRow[];
  readonly seconds: number;
  readonly columns: readonly Exclude<ColumnId, "name">[];
  readonly sort: string;
  readonly onSort: (sort: string) => void;
  /** Takes all the height there is instead of what its rows need. */
  readonly fills?: boolean;
}

export function RedTable({ label, noun, rows, seconds, columns, sort, onSort, fills = false }: Props) {
  const order = sort === "" ? "-requests" : sort;
  const sorted = sortRed(rows, order);
  const most = Math.max(1, ...rows.slice(0, 10_000).map((one) => one.requests));
  const all: readonly TableColumn[] = [{ id: "name", label: noun, width: "minmax(170px, 1fr)", sortable: true }, ...columns.map((id) => COLUMNS[id])];
  const rowPixels = window.matchMedia("(pointer: coarse)").matches ? TOUCH_ROW_PIXELS : ROW_PIXELS;
  const widthMin = 190 + columns.length * 100;
  return (
    <div class={`red-table ${fills ? "fills" : ""}`} style={fills ? {} : { height: `${(Math.min(ROWS_MOST, sorted.length) + 1) * rowPixels + 16}px` }}>
      <VirtualTable
        label={label} columns={all} widthMin={widthMin} count={sorted.length} sort={order} onSort={onSort}
        onOpen={(position) => navigate(sorted[position]?.href ?? "/services")}
        cell={(position, { id }) => <Cell row={sorted[position]} column={id} seconds={seconds} most={most} />}
      />
    </div>
  );
}

function Cell({ row, column, seconds, most }: { readonly row: RedRow | undefined; readonly column: string; readonly seconds: number; readonly most: number }) {
  if (row === undefined) return null;
  switch (column) {
    case "name":
      return (
        <>
          {row.slot === undefined ? null : <span class="service-mark" data-slot={row.slot} />}
          {row.caller === undefined ? null : <><Text value={row.caller} empty="(no name)" /> <span class="to">→</span></>}
          <a href={row.href}><Text value={row.name} empty="(no name)" /></a>
        </>
      );
    case "requests":
      return <Share share={row.requests / most}><span title={formatCount(row.requests)}>{formatRate(row.requests, seconds)}</span></Share>;
    case "errors":
      return <span class={row.errors > 0 ? "failed" : ""} title={formatCount(row.errors)}>{row.errors > 0 ? <ErrorIcon /> : null}{formatShare(errorShare(row))}</span>;
    case "findings":
      return <>{row.findings === 0 ? "–" : formatCount(row.findings)}</>;
    case "network":
      return <span title={Number.isNaN(row.network) ? "" : `${formatShare(networkShare({ p50: row.p50, networkP50: row.network }))} of what the caller waits`}>{formatDuration(row.network)}</span>;
    default:
      return <>{formatDuration(column === "p50" ? row.p50 : column === "p95" ? row.p95 : row.p99)}</>;
  }
}
