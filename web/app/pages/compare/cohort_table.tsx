// Operations within two cohorts, what differs most first.
import { useMemo, useState } from "preact/hooks";
import { formatCount, formatDuration } from "../../base/units.ts";
import type { CohortPart, CohortRow, CohortTotals } from "../../model/cohorts.ts";
import { assignSlots } from "../../model/service_slots.ts";
import { formatShare } from "../../model/services_view.ts";
import { Text } from "../../ui/text.tsx";
import { VirtualTable, type TableColumn } from "../../ui/virtual_table.tsx";

const COLUMNS: readonly TableColumn[] = [
  { id: "name", label: "Operation", width: "minmax(220px, 720px)" },
  { id: "in", label: "In traces A → B", width: "140px", number: true, title: "Share of the cohort's traces that have it" },
  { id: "calls", label: "Calls A → B", width: "120px", number: true, title: "Median per trace that has it" },
  { id: "a", label: "Time A", width: "100px", number: true, title: "Median over traces of the sum of its durations" },
  { id: "b", label: "Time B", width: "100px", number: true },
  { id: "difference", label: "Difference", width: "220px", number: true },
];

export function CohortTable({ rows, totals }: { readonly rows: readonly CohortRow[]; readonly totals: readonly [CohortTotals, CohortTotals] }) {
  const [chosen, setChosen] = useState(-1);
  const slots = useMemo(() => assignSlots(rows.map((one) => one.service)), [rows]);
  const most = Math.max(1, ...rows.slice(0, 10_000).map((one) => Math.abs(one.b.total - one.a.total)));
  return (
    <VirtualTable
      label="Differences by operation" columns={COLUMNS} widthMin={920} count={rows.length} chosen={chosen} onChoose={setChosen}
      cell={(position, { id }) => <Cell row={rows[position]} column={id} totals={totals} most={most} slots={slots} />}
    />
  );
}

interface CellProps {
  readonly row: CohortRow | undefined;
  readonly column: string;
  readonly totals: readonly [CohortTotals, CohortTotals];
  readonly most: number;
  readonly slots: ReadonlyMap<string, number>;
}

function Cell({ row, column, totals, most, slots }: CellProps) {
  if (row === undefined) return null;
  const { a, b } = row;
  const change = b.total - a.total;
  const both = (before: string, after: string): string => (before === after ? after : `${before} → ${after}`);
  const time = (part: CohortPart): string => (part.traces === 0 ? "–" : formatDuration(part.total));
  switch (column) {
    case "name":
      return (
        <>
          <span class="service-mark" data-slot={slots.get(row.service)} />
          <Text value={row.name} empty="(no name)" />
          <small><Text value={row.service} empty="" /></small>
        </>
      );
    case "in":
      return <>{both(formatShare(a.traces / Math.max(1, totals[0].traces)), formatShare(b.traces / Math.max(1, totals[1].traces)))}</>;
    case "calls":
      return <>{both(formatCount(a.calls), formatCount(b.calls))}</>;
    case "a":
      return <>{time(a)}</>;
    case "b":
      return <>{time(b)}</>;
    default:
      return (
        <span class={`difference ${change > 0 ? "more" : "less"}`}>
          <i style={{ "--share": String(Math.abs(change) / most) }} />
          <span>{change === 0 ? "0" : `${change > 0 ? "+" : "−"}${formatDuration(Math.abs(change))}`}</span>
        </span>
      );
  }
}
