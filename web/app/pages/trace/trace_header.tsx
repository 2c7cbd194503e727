// What this trace is, in one glance: root, when, how long, how much, and what is not right about it.
import { otlpUrl } from "../../api/client.ts";
import { isPartial, type Completeness } from "../../api/trace_columns.ts";
import { formatDateTime } from "../../base/time.ts";
import { formatDuration, formatCount, plural } from "../../base/units.ts";
import { nameOf, serviceOf } from "../../model/span_row.ts";
import { timeZone } from "../../state/preferences.ts";
import { lastSearchUrl } from "../../state/search_state.ts";
import type { TraceState } from "../../state/trace_state.ts";
import { CopyButton } from "../../ui/copy_button.tsx";
import { ErrorIcon, Icon } from "../../ui/icon.tsx";
import { Text } from "../../ui/text.tsx";
import "./trace_header.css";

export function TraceHeader({ state }: { readonly state: TraceState }) {
  const { trace } = state;
  return (
    <div class="trace-header">
      <a class="button quiet small icon back" href={lastSearchUrl.value} aria-label="Back to the search" title="Back to the search">
        <Icon name="left" />
      </a>
      <h1>
        <span class="service">
          <Text value={serviceOf(trace, trace.rootRow)} empty="" />
        </span>
        <Text value={nameOf(trace, trace.rootRow)} empty="(no name)" />
      </h1>
      <div class="ids">
        <code title="Trace ID">{trace.traceId}</code>
        <CopyButton text={trace.traceId} what="trace ID" />
        <LinkButton />
        <a class="button quiet small" href={`/compare?a=${trace.traceId}`} title="Compare with another trace">
          <Icon name="compare" />
          Compare
        </a>
        <a class="button quiet small icon" href={otlpUrl(trace.traceId)} download={`${trace.traceId}.json`} aria-label="Download as OTLP/JSON" title="Download as OTLP/JSON">
          <Icon name="download" />
        </a>
      </div>
      <Facts state={state} />
      <Warnings completeness={trace.completeness} show={() => (state.find.value = "is:incomplete")} />
    </div>
  );
}

function LinkButton() {
  return <CopyButton text={() => window.location.href} what="link to this view" label="Link" />;
}

function Facts({ state }: { readonly state: TraceState }) {
  const { counts } = state;
  const trace = state.timed.value;
  return (
    <dl class="trace-facts">
      <Fact name="Duration" value={formatDuration(trace.rootDuration ?? trace.extent)} />
      {trace.rootDuration !== null && trace.rootDuration < trace.extent ? <Fact name="Until the last span ends" value={formatDuration(trace.extent)} /> : null}
      <Fact name="Started" value={formatDateTime(trace.startUnixNano, timeZone.value)} />
      <Fact name="Spans" value={isPartial(state.trace) ? `${formatCount(counts.spans)} of ${formatCount(state.trace.totalRows)}` : formatCount(counts.spans)} />
      <Fact name="Services" value={formatCount(trace.services.length)} />
      <Fact name="Depth" value={formatCount(counts.depthMax + 1)} />
      {counts.errors === 0 ? null : (
        <div class="errors">
          <dt>Errors</dt>
          <dd>
            <ErrorIcon />
            {formatCount(counts.errors)}
          </dd>
        </div>
      )}
    </dl>
  );
}

function Fact({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function warningsOf(one: Completeness): string[] {
  const warnings: string[] = [];
  if (one.missingParents > 0) warnings.push(`${plural(one.missingParents, "parent span")} not received`);
  if (one.roots === 0) warnings.push("no root span received");
  if (one.roots > 1) warnings.push(`${formatCount(one.roots)} root spans`);
  if (one.cycles > 0) warnings.push(`${plural(one.cycles, "parent cycle")} cut`);
  if (one.duplicateIds > 0) warnings.push(`${plural(one.duplicateIds, "span ID")} used more than once`);
  if (one.unusableTimes > 0) warnings.push(`${plural(one.unusableTimes, "span")} without usable time`);
  return warnings;
}

function Warnings({ completeness, show }: { readonly completeness: Completeness; readonly show: () => void }) {
  const warnings = warningsOf(completeness);
  if (warnings.length === 0) return null;
  return (
    <div class="trace-warnings" role="note">
      <Icon name="warning" />
      {warnings.map((one) => <span key={one}>{one}</span>)}
      <button type="button" class="button quiet small" onClick={show}>Show</button>
    </div>
  );
}
