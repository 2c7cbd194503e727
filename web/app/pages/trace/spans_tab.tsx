// Every span as a row of a table: sort by any column, narrow it by the search above, open one beside it.
import { useMemo } from "preact/hooks";
import { formatCount, formatDuration, plural } from "../../base/units.ts";
import { SLOT_COUNT } from "../../model/service_slots.ts";
import { isError, KIND_NAMES, nameOf, serviceOf, spanIdOf, STATUS_NAMES } from "../../model/span_row.ts";
import { sortSpans } from "../../model/span_sort.ts";
import type { TraceState } from "../../state/trace_state.ts";
import { CopyButton } from "../../ui/copy_button.tsx";
import { ErrorIcon } from "../../ui/icon.tsx";
import { Notice } from "../../ui/notice.tsx";
import { Text } from "../../ui/text.tsx";
import { Share, VirtualTable, type TableColumn } from "../../ui/virtual_table.tsx";
import "./tab_bar.css";

const COLUMNS: readonly TableColumn[] = [
  { id: "service", label: "Service", width: "minmax(130px, 320px)", sortable: true },
  { id: "name", label: "Name", width: "minmax(180px, 720px)", sortable: true },
  { id: "start", label: "Start", width: "96px", number: true, sortable: true },
  { id: "duration", label: "Duration", width: "120px", number: true, sortable: true },
  { id: "self", label: "Self", width: "120px", number: true, sortable: true },
  { id: "kind", label: "Kind", width: "88px", sortable: true },
  { id: "status", label: "Status", width: "84px", sortable: true },
  { id: "depth", label: "Depth", width: "72px", number: true, sortable: true },
  { id: "events", label: "Events", width: "78px", number: true, sortable: true },
  { id: "links", label: "Links", width: "70px", number: true, sortable: true },
];
const FIRST_SORT = "start";

export function SpansTab({ state }: { readonly state: TraceState }) {
  const trace = state.timed.value;
  const { sort } = state.tab.value;
  const mask = state.found.value?.mask ?? null;
  const order = sort === "" ? FIRST_SORT : sort;
  const rows = useMemo(() => sortSpans(trace, state.selfTimes.value, mask, order), [trace, mask, order]);
  const selected = state.selected.value;
  const chosen = useMemo(() => rows.indexOf(selected), [rows, selected]);
  return (
    <section class="trace-tab" aria-label="Spans">
      <div class="tab-bar">
        <span class="summary">{mask === null ? plural(rows.length, "span") : `${formatCount(rows.length)} of ${plural(state.counts.spans, "span")}`}</span>
        <CopyButton text={() => csvOf(state, rows)} what="table as CSV" label="CSV" />
      </div>
      {rows.length === 0 ? (
        <Notice icon="search" title="No span matches">
          <div class="actions">
            <button type="button" class="button" onClick={() => (state.find.value = "")}>Clear the search</button>
          </div>
        </Notice>
      ) : (
        <VirtualTable
          label="Spans" columns={COLUMNS} widthMin={1000} count={rows.length} sort={order} chosen={chosen}
          onSort={(next) => state.changeTab({ sort: next })}
          onChoose={(position) => (state.selected.value = rows[position] ?? -1)}
          onOpen={() => (state.panelOpen.value = true)}
          cell={(position, column) => <Cell state={state} row={rows[position] ?? -1} column={column.id} />}
        />
      )}
    </section>
  );
}

function Cell({ state, row, column }: { readonly state: TraceState; readonly row: number; readonly column: string }) {
  const trace = state.timed.value;
  switch (column) {
    case "service":
      return (
        <>
          <span class="service-mark" data-slot={state.slots[trace.service[row] ?? -1] ?? SLOT_COUNT} />
          <Text value={serviceOf(trace, row)} empty="(none)" />
        </>
      );
    case "name":
      return <Text value={nameOf(trace, row)} empty="(no name)" />;
    case "start":
      return <>{Number.isNaN(trace.start[row] ?? Number.NaN) ? "–" : `+${formatDuration(trace.start[row] ?? 0)}`}</>;
    case "duration":
      return <Share share={(trace.duration[row] ?? 0) / Math.max(1, trace.extent)}>{formatDuration(trace.duration[row] ?? Number.NaN)}</Share>;
    case "self":
      return <Share share={(state.selfTimes.value[row] ?? 0) / Math.max(1, trace.extent)}>{formatDuration(state.selfTimes.value[row] ?? Number.NaN)}</Share>;
    case "kind":
      return <>{KIND_NAMES[trace.kind[row] ?? 0] ?? ""}</>;
    case "status":
      return <>{isError(trace, row) ? <ErrorIcon /> : null}{STATUS_NAMES[trace.status[row] ?? 0] ?? ""}</>;
    case "depth":
      return <>{(trace.depth[row] ?? 0) + 1}</>;
    default: {
      const count = (column === "events" ? trace.events : trace.links)[row] ?? 0;
      return <>{count === 0 ? "–" : formatCount(count)}</>;
    }
  }
}

function csvOf(state: TraceState, rows: Int32Array): string {
  const trace = state.timed.value;
  const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
  const lines = Array.from(rows, (row) =>
    [spanIdOf(trace, row), quoted(serviceOf(trace, row)), quoted(nameOf(trace, row)), trace.start[row], trace.duration[row], state.selfTimes.value[row], KIND_NAMES[trace.kind[row] ?? 0], STATUS_NAMES[trace.status[row] ?? 0]].join(","));
  return ["span_id,service,name,start_offset_ns,duration_ns,self_ns,kind,status", ...lines].join("\n");
}
