// The spans of the trace in groups: how many, how long, how many failed. A group opens in the timeline.
import { useEffect, useMemo, useState } from "preact/hooks";
import { fetchTraceKeys } from "../../api/trace_attributes.ts";
import { lineOf } from "../../base/text.ts";
import { formatCount, formatDuration, plural } from "../../base/units.ts";
import { SLOT_COUNT } from "../../model/service_slots.ts";
import { GROUP_CHOICES, groupBy, groupByAttribute, sortGroups, statistics, type GroupRow } from "../../model/statistics.ts";
import { serviceOf } from "../../model/span_row.ts";
import { Remote } from "../../state/remote.ts";
import type { TraceState } from "../../state/trace_state.ts";
import { CopyButton } from "../../ui/copy_button.tsx";
import { ErrorIcon } from "../../ui/icon.tsx";
import { ErrorNotice, Notice } from "../../ui/notice.tsx";
import { Text } from "../../ui/text.tsx";
import { Share, VirtualTable, type TableColumn } from "../../ui/virtual_table.tsx";
import "./tab_bar.css";

const COLUMNS: readonly TableColumn[] = [
  { id: "label", label: "Group", width: "minmax(200px, 720px)", sortable: true },
  { id: "count", label: "Spans", width: "90px", number: true, sortable: true },
  { id: "total", label: "Total", width: "130px", number: true, sortable: true, title: "Sum of durations; more than the trace's where spans run side by side or inside each other" },
  { id: "self", label: "Self", width: "130px", number: true, sortable: true, title: "Sum of the time in which no child of the span ran" },
  { id: "p50", label: "Median", width: "96px", number: true, sortable: true },
  { id: "p95", label: "p95", width: "96px", number: true, sortable: true },
  { id: "max", label: "Longest", width: "96px", number: true, sortable: true },
  { id: "errors", label: "Errors", width: "84px", number: true, sortable: true },
];
const FIRST_SORT = "-self";

export function StatisticsTab({ state }: { readonly state: TraceState }) {
  const trace = state.timed.value;
  const { group, sort } = state.tab.value;
  const key = group.startsWith("@") ? group.slice(1) : null;
  const column = key === null ? undefined : state.attributes.value.get(key.toLowerCase());
  const mask = state.found.value?.mask ?? null;
  const [chosen, setChosen] = useState(-1);
  useEffect(() => {
    if (key !== null) state.loadAttribute(key);
  }, [key]);
  const grouping = useMemo(() => (key === null ? groupBy(trace, group) : column === undefined ? null : groupByAttribute(trace, column)), [trace, group, column]);
  const rows = useMemo(
    () => (grouping === null ? [] : sortGroups(statistics(trace, state.selfTimes.value, grouping, mask), sort === "" ? FIRST_SORT : sort)), [trace, grouping, mask, sort],
  );
  const most = useMemo(() => ({ total: Math.max(1, ...rows.slice(0, 10_000).map((one) => one.total)), self: Math.max(1, ...rows.slice(0, 10_000).map((one) => one.self)) }), [rows]);
  return (
    <section class="trace-tab" aria-label="Statistics">
      <div class="tab-bar">
        <GroupChoice state={state} />
        <span class="summary">
          {plural(rows.length, "group")}, {plural(rows.reduce((sum, one) => sum + one.count, 0), mask === null ? "span" : "matching span")}
        </span>
        <CopyButton text={() => csvOf(rows)} what="table as CSV" label="CSV" />
      </div>
      {grouping === null ? (
        state.attributeProblem.value === null ? (
          <p class="tab-loading" role="status">Loading {key}…</p>
        ) : (
          <ErrorNotice error={state.attributeProblem.value} retry={() => state.loadAttribute(key ?? "")} />
        )
      ) : rows.length === 0 ? (
        <Notice icon="search" title="No span matches">
          <div class="actions">
            <button type="button" class="button" onClick={() => (state.find.value = "")}>Clear the search</button>
          </div>
        </Notice>
      ) : (
        <VirtualTable
          label="Groups of spans" columns={COLUMNS} widthMin={920} count={rows.length} sort={sort === "" ? FIRST_SORT : sort} chosen={chosen} onChoose={setChosen}
          onSort={(next) => state.changeTab({ sort: next })} onOpen={(position) => state.showInTimeline(rows[position]?.term ?? "")}
          cell={(position, one) => <Cell state={state} row={rows[position]} column={one.id} most={most} withService={["", "operation", "service"].includes(group)} />}
        />
      )}
    </section>
  );
}

interface CellProps {
  readonly state: TraceState;
  readonly row: GroupRow | undefined;
  readonly column: string;
  readonly most: { readonly total: number; readonly self: number };
  readonly withService: boolean;
}

function Cell({ state, row, column, most, withService }: CellProps) {
  if (row === undefined) return null;
  switch (column) {
    case "label":
      return (
        <>
          {withService ? <span class="service-mark" data-slot={state.slots[state.trace.service[row.example] ?? -1] ?? SLOT_COUNT} /> : null}
          <Text value={row.label} empty="(none)" />
          {withService && state.tab.value.group !== "service" ? <small><Text value={serviceOf(state.trace, row.example)} empty="" /></small> : null}
        </>
      );
    case "count":
      return <>{formatCount(row.count)}</>;
    case "errors":
      return row.errors === 0 ? <>–</> : <><ErrorIcon />{formatCount(row.errors)}</>;
    case "total":
      return <Share share={row.total / most.total}>{formatDuration(row.total)}</Share>;
    case "self":
      return <Share share={row.self / most.self}>{formatDuration(row.self)}</Share>;
    case "p50":
      return <>{formatDuration(row.p50)}</>;
    case "p95":
      return <>{formatDuration(row.p95)}</>;
    default:
      return <>{formatDuration(row.max)}</>;
  }
}

function GroupChoice({ state }: { readonly state: TraceState }) {
  const [keys] = useState(() => new Remote<readonly string[]>());
  useEffect(() => {
    void keys.load((signal) => fetchTraceKeys(state.trace.traceId, signal));
    return () => keys.stop();
  }, []);
  const { group } = state.tab.value;
  const known = keys.state.value.value ?? [];
  const missing = group.startsWith("@") && !known.includes(group.slice(1));
  return (
    <label>
      <span>Group by</span>
      <select class="field" value={group === "" ? "operation" : group} onChange={(event) => state.changeTab({ group: event.currentTarget.value })}>
        {GROUP_CHOICES.map(({ id, label }) => <option key={id} value={id}>{label}</option>)}
        {missing ? <option value={group}>{group.slice(1)}</option> : null}
        {known.length === 0 ? null : (
          <optgroup label="Attribute">
            {known.map((key) => <option key={key} value={`@${key}`}>{lineOf(key, 80)}</option>)}
          </optgroup>
        )}
      </select>
      {keys.state.value.status === "failed" ? <small>Attributes could not be listed.</small> : null}
    </label>
  );
}

function csvOf(rows: readonly GroupRow[]): string {
  const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
  const lines = rows.map((one) => [quoted(one.label), one.count, one.total, one.self, one.p50, one.p95, one.max, one.errors].join(","));
  return ["group,spans,total_ns,self_ns,p50_ns,p95_ns,max_ns,errors", ...lines].join("\n");
}
