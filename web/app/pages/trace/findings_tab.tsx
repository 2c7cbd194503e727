// What is wrong with this trace, the worst first. A finding shows its spans in the timeline, where they are marked as
// what a search finds is.
import { formatCount, formatDuration, plural } from "../../base/units.ts";
import type { Finding } from "../../api/findings.ts";
import { isPartial } from "../../api/trace_columns.ts";
import { detectorWords } from "../../model/detectors.ts";
import { fallacyWords } from "../../model/fallacies.ts";
import { findingTerm } from "../../model/finding_rows.ts";
import { SLOT_COUNT } from "../../model/service_slots.ts";
import { nameOf, rowOfSpanId, serviceOf } from "../../model/span_row.ts";
import { firstChange, remedyOf } from "../../model/what_if.ts";
import type { TraceState } from "../../state/trace_state.ts";
import { Explained, Loss } from "../../ui/finding_explained.tsx";
import { Icon } from "../../ui/icon.tsx";
import { ErrorNotice, Notice } from "../../ui/notice.tsx";
import { SeverityMark } from "../../ui/severity_mark.tsx";
import { Text } from "../../ui/text.tsx";
import { TryButton, WhatIfPanel } from "./what_if_panel.tsx";
import "./tab_bar.css";
import "./findings_tab.css";

/** Spans that are named one by one; the timeline shows all. */
const SPANS_NAMED = 6;

export function FindingsTab({ state }: { readonly state: TraceState }) {
  const { status, value } = state.findings.state.value;
  const remote = state.findings.state.value;
  return (
    <section class="trace-tab findings-tab" aria-label="Findings">
      {value === null ? (
        remote.status === "failed" ? <ErrorNotice error={remote.error} retry={() => state.loadFindings()} /> : <p class="tab-loading" role="status">Looking for findings…</p>
      ) : value.length === 0 ? (
        <Notice icon="check" title="No finding in this trace">
          <p>No rule fired on its {plural(isPartial(state.trace) ? state.trace.totalRows : state.counts.spans, "span")}. The critical path shows what its time went to.</p>
          <div class="actions">
            <button type="button" class="button" onClick={() => state.openTab("path")}>Critical path</button>
            <a class="button" href="/findings">Findings of all traces</a>
          </div>
        </Notice>
      ) : (
        <>
          <div class="tab-bar">
            <span class="summary">{plural(value.length, "finding")}, the worst first{status === "failed" ? " (not up to date)" : ""}</span>
            <a href="/findings">Findings of all traces</a>
          </div>
          <ol class="list" tabIndex={0} aria-label="Findings, the worst first">
            {value.map((finding, at) => <FindingItem key={finding.findingId} state={state} finding={finding} first={at === 0} />)}
          </ol>
          {state.changes.value.length === 0 ? null : <WhatIfPanel state={state} />}
        </>
      )}
    </section>
  );
}

interface ItemProps {
  readonly state: TraceState;
  readonly finding: Finding;
  readonly first: boolean;
}

const NONE_OPEN = "none";

function FindingItem({ state, finding, first }: ItemProps) {
  const { group } = state.tab.value;
  const open = group === "" ? first : group === finding.findingId;
  const id = `finding-${finding.findingId}`;
  return (
    <li class={`finding ${open ? "open" : ""}`}>
      <div class="head">
        <SeverityMark severity={finding.severity} />
        <div class="what">
          <h2>
            <button type="button" aria-expanded={open} {...(open ? { "aria-controls": id } : {})} onClick={() => state.changeTab({ group: open ? NONE_OPEN : finding.findingId })}>
              <Text value={finding.title} empty="(no title)" />
              <Icon name={open ? "down" : "right"} />
            </button>
          </h2>
          <ul class="facts">
            <li>{detectorWords(finding.detector).label}</li>
            <li>{fallacyWords(finding.fallacy).label}</li>
            {finding.criticalPathNs > 0 ? <li>{formatDuration(finding.criticalPathNs)} of the critical path</li> : null}
            <li><a href={`/findings/${finding.groupKey}`}>in other traces</a></li>
          </ul>
        </div>
        <Loss finding={finding} />
      </div>
      <div class="foot">
        <Spans state={state} finding={finding} all={open} />
      </div>
      {open ? <div id={id} class="why"><Explained evidence={finding.evidence} title={finding.title} /></div> : null}
    </li>
  );
}

/** Spans of a finding that are not here: in another part, or not in the trace at all. */
function Absent({ state, finding }: { readonly state: TraceState; readonly finding: Finding }) {
  const [spanId] = finding.spanIds;
  if (spanId === undefined || !isPartial(state.trace)) return <span class="none">The spans it is about are not in this answer.</span>;
  return <button type="button" class="button small" title="They are not in the part of the trace that is loaded" onClick={() => state.openSpan(spanId)}>Load the part they are in</button>;
}

function Spans({ state, finding, all }: { readonly state: TraceState; readonly finding: Finding; readonly all: boolean }) {
  const { trace } = state;
  const find = findingTerm(finding.findingId);
  const rows = [...(state.findingRows.value.get(finding.findingId) ?? [])].sort((a, b) => a - b);
  const caller = rowOfSpanId(trace, finding.parentSpanId ?? "");
  const show = (row: number) => (
    <button
      key={row} type="button" class="span-link" title="Select this span in the timeline"
      onClick={() => {
        state.select(row, { center: true });
        state.showInTimeline(find);
        state.select(row, { center: true });
      }}
    >
      <span class="service-mark" data-slot={state.slots[trace.service[row] ?? -1] ?? SLOT_COUNT} />
      <Text value={serviceOf(trace, row)} empty="(no service)" />
      <b><Text value={nameOf(trace, row)} empty="(no name)" /></b>
      <small>{formatDuration(state.timed.value.duration[row] ?? Number.NaN)}</small>
    </button>
  );
  return (
    <>
      {rows.length === 0 ? <Absent state={state} finding={finding} /> : (
        <button type="button" class={`button small ${all ? "primary" : ""}`} onClick={() => state.showInTimeline(find)}>Show {plural(rows.length, "span")} in the timeline</button>
      )}
      {rows.length === 0 ? null : <TryButton state={state} change={firstChange(remedyOf(finding.detector), find)} />}
      {!all ? null : (
        <dl class="spans">
          {caller < 0 ? null : <div><dt>Caller</dt><dd>{show(caller)}</dd></div>}
          {rows.length === 0 ? null : (
            <div>
              <dt>{rows.length === 1 ? "Span" : "Spans"}</dt>
              <dd>{rows.slice(0, SPANS_NAMED).map(show)}{rows.length > SPANS_NAMED ? <small>and {formatCount(rows.length - SPANS_NAMED)} more</small> : null}</dd>
            </div>
          )}
        </dl>
      )}
    </>
  );
}
