// The trace before and after, on one scale: per row the old bar above the new one, with a line where each of the two
// ends. What only moved is left out unless asked for.
import { useMemo, useState } from "preact/hooks";
import type { WhatIf } from "../../api/what_if.ts";
import type { TraceColumns } from "../../api/trace_columns.ts";
import { formatDuration, plural } from "../../base/units.ts";
import { SLOT_COUNT } from "../../model/service_slots.ts";
import { nameOf, serviceOf } from "../../model/span_row.ts";
import { FIRST_COLLAPSE, visibleRows } from "../../model/visible_rows.ts";
import { changedRows, extentOf, newTimes, type Extent, type NewTimes } from "../../model/what_if.ts";
import type { TraceState } from "../../state/trace_state.ts";
import { Text } from "../../ui/text.tsx";
import { VirtualTable, type TableColumn } from "../../ui/virtual_table.tsx";

const COLUMNS: readonly TableColumn[] = [
  { id: "name", label: "Span", width: "minmax(180px, 30%)" },
  { id: "bars", label: "Before and after", width: "minmax(220px, 1fr)" },
  { id: "before", label: "Before", width: "88px", number: true },
  { id: "after", label: "After", width: "112px", number: true },
];
const INDENT_MAX = 10;
const INDENT_PIXELS = 12;

interface Props {
  readonly state: TraceState;
  readonly before: TraceColumns;
  readonly answer: WhatIf;
}

export function NewTimeline({ state, before, answer }: Props) {
  const [all, setAll] = useState(false);
  const [chosen, setChosen] = useState(-1);
  const times = useMemo(() => newTimes(before, answer), [before, answer]);
  const visible = useMemo(() => visibleRows(before, state.folds, FIRST_COLLAPSE), [before]);
  const changed = useMemo(() => changedRows(before, times, visible, state.folds), [before, times]);
  const rows = all || changed.length === 0 ? visible : changed;
  const ends = [before.rootRow].flatMap((row) => [extentOf(before.start, before.duration, null, row, 0)?.end, extentOf(times.start, times.duration, times.gone, row, 0)?.end]);
  const style = Object.fromEntries(["--old-end", "--new-end"].map((name, i) => [name, `${share(times, ends[i] ?? times.to)}%`]));
  return (
    <div class="new-timeline" style={style}>
      <p class="legend">
        <span><i class="old" />before</span>
        <span><i class="new" />after</span>
        <label>
          <input type="checkbox" checked={all} onChange={(event) => setAll(event.currentTarget.checked)} />
          all {plural(visible.length, "row")}, also what only moves
        </label>
      </p>
      <VirtualTable
        label="Spans before and after" columns={COLUMNS} widthMin={600} count={rows.length} chosen={chosen} onChoose={setChosen}
        onOpen={(position) => state.select(rows[position] ?? -1, { open: true, center: true })}
        cell={(position, { id }) => <Cell state={state} before={before} times={times} row={rows[position] ?? -1} column={id} />}
      />
    </div>
  );
}

const share = (times: NewTimes, time: number): number => ((time - times.from) / Math.max(1, times.to - times.from)) * 100;

interface CellProps {
  readonly state: TraceState;
  readonly before: TraceColumns;
  readonly times: NewTimes;
  readonly row: number;
  readonly column: string;
}

function Cell({ state, before, times, row, column }: CellProps) {
  const run = state.folds.length[row] ?? 0;
  const stride = state.folds.stride[row];
  const old = extentOf(before.start, before.duration, null, row, run, stride);
  const now = extentOf(times.start, times.duration, times.gone, row, run, stride);
  const slot = state.slots[before.service[row] ?? -1] ?? SLOT_COUNT;
  switch (column) {
    case "name":
      return (
        <>
          <span class="service-mark" data-slot={slot} style={{ marginLeft: `${Math.min(INDENT_MAX, before.depth[row] ?? 0) * INDENT_PIXELS}px` }} />
          {run > 1 ? <b>{run} ×</b> : null}
          <Text value={nameOf(before, row)} empty="(no name)" />
          <small><Text value={serviceOf(before, row)} empty="" /></small>
        </>
      );
    case "bars":
      return <span class="bars">{bar(times, old, "old", SLOT_COUNT)}{bar(times, now, "new", slot)}</span>;
    case "before":
      return <>{lengthOf(old, run)}</>;
    default:
      return <>{lengthOf(now, run)}</>;
  }
}

function bar(times: NewTimes, extent: Extent | null, kind: "old" | "new", slot: number) {
  if (extent === null) return null;
  const left = share(times, extent.start);
  return <i class={`${kind} service-mark`} data-slot={slot} style={{ left: `${left}%`, width: `${Math.max(0, share(times, extent.end) - left)}%` }} />;
}

function lengthOf(extent: Extent | null, run: number): string {
  if (extent === null) return "gone";
  return `${run > 1 && extent.count !== run ? `${extent.count} × ` : ""}${formatDuration(extent.end - extent.start)}`;
}
