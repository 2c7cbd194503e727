// What determined when the root ended: the critical path as one bar, and added up by operation, service or span.
import { useEffect, useMemo, useState } from "preact/hooks";
import { fetchCriticalPath, type CriticalPath, type PathCertainty, type PathTime } from "../../api/critical_path.ts";
import { lineOf } from "../../base/text.ts";
import { formatCount, formatDuration, plural } from "../../base/units.ts";
import { parsePathGroup, PATH_GROUPS, pathPieces, pathRows, sureness, type PathGroup, type PathRow } from "../../model/path_summary.ts";
import { SLOT_COUNT } from "../../model/service_slots.ts";
import { rowOfSpanId, spanIdOf } from "../../model/span_row.ts";
import { exactTerm } from "../../model/statistics.ts";
import { firstChange } from "../../model/what_if.ts";
import { Remote } from "../../state/remote.ts";
import type { TraceState } from "../../state/trace_state.ts";
import { CopyButton } from "../../ui/copy_button.tsx";
import { ErrorNotice, Notice } from "../../ui/notice.tsx";
import { Text } from "../../ui/text.tsx";
import { Share, VirtualTable, type TableColumn } from "../../ui/virtual_table.tsx";
import { TryButton, WhatIfPanel } from "./what_if_panel.tsx";
import "./tab_bar.css";
import "./path_tab.css";

const CERTAINTIES: readonly { readonly id: PathCertainty; readonly text: string }[] = [
  { id: "measured", text: "read on one clock" },
  { id: "bounded", text: "clocks differ, by less than what separates the spans" },
  { id: "guessed", text: "closer than the clocks may be off, or their offset is unknown" },
];

const COLUMNS: readonly TableColumn[] = [
  { id: "label", label: "On the path", width: "minmax(200px, 720px)" },
  { id: "share", label: "Share of the root", width: "150px", number: true },
  { id: "duration", label: "Time", width: "110px", number: true },
  { id: "certainty", label: "Certainty", width: "120px" },
  { id: "start", label: "First from", width: "110px", number: true, title: "From the start of the root" },
  { id: "segments", label: "Segments", width: "96px", number: true },
  { id: "spans", label: "Spans", width: "80px", number: true },
  { id: "try", label: "Try", width: "104px" },
];

export function PathTab({ state }: { readonly state: TraceState }) {
  const group = parsePathGroup(state.tab.value.group);
  const time: PathTime = state.axis.value === "raw" ? "raw" : "aligned";
  const [remote] = useState(() => new Remote<CriticalPath>());
  const load = (): void => void remote.load((signal) => fetchCriticalPath(state.trace.traceId, time, signal));
  useEffect(() => {
    load();
    return () => remote.stop();
  }, [time]);
  const answer = remote.state.value;
  const path = answer.value;
  return (
    <section class="trace-tab path-tab" aria-label="Critical path">
      <div class="tab-bar">
        <label>
          <span>Add up by</span>
          <select class="field" value={group} onChange={(event) => state.changeTab({ group: parsePathGroup(event.currentTarget.value) })}>
            {PATH_GROUPS.map(({ id, label }) => <option key={id} value={id}>{label}</option>)}
          </select>
        </label>
        {path === null ? null : <Summary path={path} />}
      </div>
      {answer.status === "failed" ? (
        <ErrorNotice error={answer.error} retry={load} />
      ) : path === null ? (
        <p class="tab-loading" role="status">Following the path…</p>
      ) : path.segments.length === 0 ? (
        <Notice icon="search" title="This trace has no critical path">
          <p>Its root has no usable times, or has not arrived.</p>
        </Notice>
      ) : (
        <Path state={state} path={path} />
      )}
    </section>
  );
}

function Summary({ path }: { readonly path: CriticalPath }) {
  return (
    <>
      <span class="summary">{formatDuration(path.duration)} in {plural(path.segments.length, "segment")}</span>
      <CopyButton text={() => csvOf(path)} what="segments as CSV" label="CSV" />
    </>
  );
}

function Path({ state, path }: { readonly state: TraceState; readonly path: CriticalPath }) {
  const group = parsePathGroup(state.tab.value.group);
  const pieces = useMemo(() => pathPieces(path), [path]);
  const rows = useMemo(() => pathRows(path, group), [path, group]);
  const [chosen, setChosen] = useState(-1);
  useEffect(() => setChosen(-1), [rows]);
  const slotOf = slotsByName(state);
  const selected = state.selected.value < 0 ? "" : spanIdOf(state.trace, state.selected.value);
  return (
    <>
      <div class="path-chart">
        <div class="path-bar" role="img" aria-label={`Critical path of ${formatDuration(path.duration)}: the table below lists its parts`}>
          {pieces.map((piece) => {
            const { segment } = piece;
            const is = segment.spanId === selected;
            return (
              <i
                key={piece.start} class={`service-mark ${segment.certainty} ${is ? "chosen" : ""}`} data-slot={slotOf(segment.service)}
                style={{ left: `${piece.start * 100}%`, width: `${piece.width * 100}%` }}
                title={`${lineOf(segment.service, 60)} ${lineOf(segment.name, 80)}: ${formatDuration(segment.duration)}, ${segment.certainty}${piece.segments > 1 ? `, and ${formatCount(piece.segments - 1)} more` : ""}`}
                onClick={() => state.openSpan(segment.spanId)}
              />
            );
          })}
        </div>
        <div class="path-axis" aria-hidden="true">
          {[0, 0.25, 0.5, 0.75, 1].map((share) => <span key={share}>{formatDuration(path.duration * share)}</span>)}
        </div>
        <Legend path={path} />
      </div>
      <VirtualTable
        label="What the path consists of" columns={COLUMNS} widthMin={960} count={rows.length} chosen={chosen}
        onChoose={(position) => {
          setChosen(position);
          const row = rowOfSpanId(state.trace, rows[position]?.spanId ?? "");
          if (row >= 0) state.select(row);
        }}
        onOpen={(position) => state.openSpan(rows[position]?.spanId ?? "")}
        cell={(position, { id }) => <Cell state={state} row={rows[position]} column={id} slotOf={slotOf} group={group} />}
      />
      {state.changes.value.length === 0 ? null : <WhatIfPanel state={state} />}
    </>
  );
}

function slotsByName(state: TraceState): (service: string) => number {
  const slots = new Map(state.trace.services.map((name, at) => [name, state.slots[at] ?? SLOT_COUNT]));
  return (service) => slots.get(service) ?? SLOT_COUNT;
}

function Legend({ path }: { readonly path: CriticalPath }) {
  const sums = sureness(path);
  return (
    <ul class="path-legend" aria-label="How sure the places on the path are">
      {CERTAINTIES.filter(({ id }) => sums[id] > 0).map(({ id, text }) => (
        <li key={id}>
          <Swatch certainty={id} />
          <b>{id}</b> {((sums[id] / Math.max(1, path.duration)) * 100).toFixed(0)} % <small>{text}</small>
        </li>
      ))}
    </ul>
  );
}

function Swatch({ certainty }: { readonly certainty: PathCertainty }) {
  return <i class={`swatch service-mark ${certainty}`} aria-hidden="true" />;
}

interface CellProps {
  readonly state: TraceState;
  readonly row: PathRow | undefined;
  readonly column: string;
  readonly slotOf: (service: string) => number;
  readonly group: PathGroup;
}

/** The search in the trace that finds what a row is about. */
function spansOf(row: PathRow, group: PathGroup): string {
  if (group === "span" || group === "segment") return row.spanId;
  return group === "service" ? exactTerm("service", row.service) : `${exactTerm("service", row.service)} ${exactTerm("name", row.label)}`;
}

function Cell({ state, row, column, slotOf, group }: CellProps) {
  if (row === undefined) return null;
  switch (column) {
    case "label":
      return (
        <>
          <span class="service-mark" data-slot={slotOf(row.service)} />
          <Text value={row.label} empty="(no name)" />
          {group === "service" ? null : <small><Text value={row.service} empty="" /></small>}
        </>
      );
    case "share":
      return <Share share={row.share}>{row.share >= 0.0995 ? (row.share * 100).toFixed(0) : (row.share * 100).toFixed(1)} %</Share>;
    case "duration":
      return <>{formatDuration(row.duration)}</>;
    case "certainty":
      return <><Swatch certainty={row.certainty} />{row.certainty}</>;
    case "start":
      return <>+{formatDuration(row.start)}</>;
    case "try":
      return <TryButton state={state} change={firstChange("faster", spansOf(row, group))} />;
    case "segments":
      return <>{formatCount(row.segments)}</>;
    default:
      return <>{formatCount(row.spans)}</>;
  }
}

function csvOf(path: CriticalPath): string {
  const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
  const lines = path.segments.map((one) => [one.spanId, quoted(one.service), quoted(one.name), one.start, one.duration, one.certainty].join(","));
  return ["span_id,service,name,start_offset_ns,duration_ns,certainty", ...lines].join("\n");
}
