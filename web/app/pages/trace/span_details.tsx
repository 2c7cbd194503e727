// The part of a span that comes from the server: attributes, events, links, resource, scope, raw OTLP.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { OtlpSpan, SpanEvent, SpanLink } from "../../api/otlp.ts";
import { blockOf } from "../../base/text.ts";
import { addNanoseconds, millisOf } from "../../base/time.ts";
import { formatDuration } from "../../base/units.ts";
import { shiftOf } from "../../model/clock_choice.ts";
import type { TraceState } from "../../state/trace_state.ts";
import { CopyButton } from "../../ui/copy_button.tsx";
import { ErrorNotice } from "../../ui/notice.tsx";
import { Text } from "../../ui/text.tsx";
import { AttributeTable } from "./attribute_table.tsx";
import { Backlinks } from "./backlinks.tsx";
import { Dropped } from "./dropped.tsx";
import { FactTable, type Fact } from "./fact_table.tsx";
import "./span_details.css";

export function SpanDetails({ state }: { readonly state: TraceState }) {
  const answer = state.span.state.value;
  const [version, setVersion] = useState(0);
  if (answer.status === "failed") return <ErrorNotice error={answer.error} retry={() => state.retrySpan()} />;
  if (answer.value === null) return <p class="span-details loading" role="status">Loading attributes…</p>;
  const { spans, raw } = answer.value;
  const span = spans[version] ?? spans[0];
  if (span === undefined) return null;
  return (
    <div class="span-details">
      {spans.length < 2 ? null : (
        <div class="versions" role="group" aria-label="Spans with this ID">
          {spans.map((_, i) => (
            <button key={i} type="button" class="button small" aria-pressed={i === version} onClick={() => setVersion(i)}>
              Span {i + 1} of {spans.length}
            </button>
          ))}
        </div>
      )}
      <Sections span={span} state={state} raw={raw} />
    </div>
  );
}

interface SectionsProps {
  readonly span: OtlpSpan;
  readonly state: TraceState;
  readonly raw: string;
}

function Sections({ span, state, raw }: SectionsProps) {
  const { events, links } = span;
  const start = eventStart(state);
  const find = (term: string): void => {
    const words = state.find.peek();
    state.find.value = words.includes(term) ? words : `${words} ${term}`.trim();
  };
  return (
    <>
      <Section title="Attributes" count={span.attributes.length} open>
        <AttributeTable attributes={span.attributes} dropped={span.droppedAttributes} filterable find={find} />
      </Section>
      <Section title="Events" count={events.length} open={events.length > 0 && events.length <= 20}>
        {events.map((one, i) => <EventItem key={i} event={one} traceStart={start} />)}
        <Dropped count={span.droppedEvents} noun="event" />
      </Section>
      <Section title="Links" count={links.length} open={links.length > 0 && links.length <= 20}>
        {links.map((one, i) => <LinkItem key={i} link={one} />)}
        <Dropped count={span.droppedLinks} noun="link" />
      </Section>
      <Section title="Links to this span">
        <Backlinks traceId={state.trace.traceId} spanId={span.spanId} key={span.spanId} />
      </Section>
      <Section title="Resource" count={span.resource.length} open>
        <AttributeTable attributes={span.resource} dropped={0} filterable find={find} />
        {span.resourceSchemaUrl === "" ? null : <FactTable facts={[["Schema", span.resourceSchemaUrl]]} />}
      </Section>
      <Section title="Scope and context">
        <FactTable facts={contextFacts(span)} />
        {span.scope.length === 0 ? null : <AttributeTable attributes={span.scope} dropped={0} filterable />}
      </Section>
      <RawSection raw={raw} />
    </>
  );
}

/** What events are told from, so that they move with their span. */
function eventStart(state: TraceState): string {
  const { trace } = state;
  const shift = state.axis.value === "raw" ? 0 : shiftOf(trace, state.selected.value);
  return addNanoseconds(state.timed.value.startUnixNano, Number.isNaN(shift) ? 0 : -shift);
}

function contextFacts(span: OtlpSpan): Fact[] {
  const facts: Fact[] = [
    ["Scope", span.scopeName],
    ["Version", span.scopeVersion],
    ["Schema", span.scopeSchemaUrl],
    ["Trace state", span.traceState, span.traceState !== ""],
    ["Flags", span.flags === null ? "" : `0x${span.flags.toString(16).padStart(3, "0")}`],
    ["Start", span.startUnixNano, true],
    ["End", span.endUnixNano, true],
  ];
  return facts.map(([name, value, copyable]) => [name, value === "" ? "–" : value, copyable === true]);
}

interface SectionProps {
  readonly title: string;
  readonly count?: number;
  readonly open?: boolean;
  readonly children: ComponentChildren;
}

function Section({ title, count, open, children }: SectionProps) {
  return (
    <details class="section" open={open === true && count !== 0}>
      <summary>
        {title}
        {count === undefined ? null : <small>{count}</small>}
      </summary>
      <div class="content">{children}</div>
    </details>
  );
}

function EventItem({ event, traceStart }: { readonly event: SpanEvent; readonly traceStart: string }) {
  const offset = Number.isNaN(millisOf(event.timeUnixNano)) ? Number.NaN : Number(BigInt(event.timeUnixNano) - BigInt(traceStart));
  return (
    <div class="item">
      <div class="head">
        <Text value={event.name} empty="(no name)" />
        <time title={event.timeUnixNano}>+{formatDuration(offset)}</time>
      </div>
      <AttributeTable attributes={event.attributes} dropped={event.dropped} filterable={false} />
    </div>
  );
}

function LinkItem({ link }: { readonly link: SpanLink }) {
  return (
    <div class="item">
      <div class="head mono">
        <a href={`/trace/${link.traceId}?span=${link.spanId}`}>{link.traceId.slice(0, 16)}… / {link.spanId}</a>
        <CopyButton text={`${link.traceId} ${link.spanId}`} what="linked IDs" />
      </div>
      {link.traceState === "" ? null : <FactTable facts={[["Trace state", link.traceState, true]]} />}
      <AttributeTable attributes={link.attributes} dropped={link.dropped} filterable={false} />
    </div>
  );
}

/** The text is built when the section is first opened: it may be long and is rarely read. */
function RawSection({ raw }: { readonly raw: string }) {
  const [open, setOpen] = useState(false);
  return (
    <div class="raw-section">
      <details class="section" onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>OTLP/JSON</summary>
        {open ? <pre class="raw" tabIndex={0}>{blockOf(raw, 200_000)}</pre> : null}
      </details>
      <CopyButton text={raw} what="OTLP/JSON" />
    </div>
  );
}
