// In words: what is proven around the selected span, how two spans relate and by which steps, and what is open at the cut.
import { isPartial } from "../../api/trace_columns.ts";
import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import type { Because, Cone, SpanRelation } from "../../api/order.ts";
import { lineOf } from "../../base/text.ts";
import { formatCount, formatDuration, formatTick, plural } from "../../base/units.ts";
import { clockName, explainShift, formatStep, STEP } from "../../model/clock_choice.ts";
import { cutAt, type LaneLayout } from "../../model/lanes.ts";
import { becauseTitle, CERTAINTY_TEXTS, CONE_PARTS, edgeText, eventText, groundsOf, relationSentence } from "../../model/relation_words.ts";
import { nameOf, rowOfSpanId, serviceOf } from "../../model/span_row.ts";
import { CERTAINTIES } from "../../api/trace_order.ts";
import { CERTAINTY_DASHES } from "../../render/draw_space.ts";
import type { Remote } from "../../state/remote.ts";
import type { TraceState } from "../../state/trace_state.ts";
import { Icon } from "../../ui/icon.tsx";
import { Text } from "../../ui/text.tsx";
import { Line } from "./space_legend.tsx";
import { SpaceOverview } from "./space_overview.tsx";

interface Props {
  readonly state: TraceState;
  readonly layout: LaneLayout;
  readonly second: number;
  readonly cone: Remote<Cone>;
  readonly counts: readonly number[] | null;
  readonly related: Remote<SpanRelation>;
  readonly picking: boolean;
  readonly pick: (picking: boolean) => void;
  readonly choose: (row: number) => void;
  readonly clear: () => void;
}

export function SpacePanel(props: Props) {
  const { state, second, clear } = props;
  const selected = state.selected.value;
  const { cut } = state.tab.value;
  return (
    <aside class="space-panel" aria-label="Order">
      {cut === null ? null : <Cut {...props} cut={cut} />}
      {selected < 0 ? <SpaceOverview state={state} /> : null}
      {selected < 0 ? <p class="empty">Choose a span to see what is proven to have happened before and after it. Choose a second one with Shift to see how the two relate, and why.</p> : (
        <section aria-live="polite">
          <header>
            <h2>{second < 0 ? "Selected span" : "Two spans"}</h2>
            <button type="button" class="button quiet small icon" title={second < 0 ? "Clear the selection (Esc)" : "Clear the second span (Esc)"} aria-label={second < 0 ? "Clear the selection" : "Clear the second span"} onClick={clear}>
              <Icon name="close" />
            </button>
          </header>
          <SpanLine state={state} row={selected} letter={second < 0 ? "" : "A"} />
          {second < 0 ? <ConeCounts {...props} row={selected} /> : <Related {...props} />}
        </section>
      )}
    </aside>
  );
}

function SpanLine({ state, row, letter }: { readonly state: TraceState; readonly row: number; readonly letter: string }) {
  const { trace } = state;
  const clock = trace.order?.clocks[trace.order.clock[row] ?? -1];
  return (
    <div class="span-line">
      {letter === "" ? null : <b class="letter">{letter}</b>}
      <div>
        <b><Text value={nameOf(trace, row)} empty="(no name)" /></b>
        <small><Text value={serviceOf(trace, row)} empty="(no service name)" /> · {formatDuration(state.timed.value.duration[row] ?? Number.NaN)}{clock === undefined ? null : <> · <bdi>{clockName(clock)}</bdi></>}</small>
        {letter === "" ? <p>{capital(explainShift(trace, row))}.</p> : null}
      </div>
    </div>
  );
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function ConeCounts({ state, cone, counts, picking, pick, row }: Props & { readonly row: number }) {
  const found = cone.state.value;
  return (
    <>
      {found.status === "failed" ? <p class="problem" role="alert">What is proven could not be loaded: {found.error.message}</p> : null}
      {counts === null ? (found.status === "failed" ? null : <p class="empty">Loading what is proven…</p>) : (
        <ul class="cone-counts">
          {[1, 2, 3, 0].map((part) => (
            <li key={part}>
              <i data-part={CONE_PARTS[part]?.id} aria-hidden="true">{["", "◂", "▸", "•"][part]}</i>
              <span>{CONE_PARTS[part]?.label}</span>
              <b>{formatCount(counts[part] ?? 0)}</b>
            </li>
          ))}
        </ul>
      )}
      <div class="actions">
        <button type="button" class="button small" aria-pressed={picking} title="The next span you choose is compared with this one (x)" onClick={() => pick(!picking)}>
          {picking ? "Now choose the other span" : "Relate to another span"}
        </button>
        <button type="button" class="button quiet small" onClick={() => state.zoomToSelected()}><Icon name="fit" />Zoom to it</button>
        <button
          type="button" class="button quiet small"
          onClick={() => {
            state.openTab("timeline");
            state.select(row, { open: true, center: true });
          }}
        >
          Details
        </button>
      </div>
    </>
  );
}

function Related({ state, second, related, choose }: Props) {
  const found = related.state.value;
  const names = (spanId: string): string => {
    const row = rowOfSpanId(state.trace, spanId);
    return row < 0 ? `span ${spanId} ${isPartial(state.trace) ? "that is not loaded" : "of another trace"}` : lineOf(nameOf(state.trace, row), 60) || "(no name)";
  };
  return (
    <>
      <SpanLine state={state} row={second} letter="B" />
      {found.status === "failed" ? <p class="problem" role="alert">How they relate could not be loaded: {found.error.message}</p> : null}
      {found.status === "loading" ? <p class="empty">Looking for what connects them…</p> : null}
      {found.status !== "ready" ? null : (
        <>
          <p class="verdict">
            <b>{relationSentence(found.value.relation)}</b>
            <span class="grounds"><Line dash={CERTAINTY_DASHES[CERTAINTIES.indexOf(found.value.certainty)] ?? []} />{groundsOf(found.value)}</span>
          </p>
          {found.value.because.map((one, i) => <Reason key={i} reason={one} names={names} show={(spanId) => choose(rowOfSpanId(state.trace, spanId))} />)}
          {found.value.because.every((one) => one.steps.length === 0) && found.value.certainty !== "unknown" ? <p class="empty">No recorded message connects them; {CERTAINTY_TEXTS[found.value.certainty].text.toLowerCase()}</p> : null}
        </>
      )}
      <div class="actions">
        <button
          type="button" class="button quiet small"
          onClick={() => {
            const first = state.selected.peek();
            state.changeTab({ focus: first });
            choose(second);
          }}
        >
          Swap
        </button>
      </div>
    </>
  );
}

interface ReasonProps {
  readonly reason: Because;
  readonly names: (spanId: string) => string;
  readonly show: (spanId: string) => void;
}

function Reason({ reason, names, show }: ReasonProps) {
  if (reason.steps.length === 0) return null;
  return (
    <section class="reason">
      <h3>{capital(becauseTitle(reason, names))}:</h3>
      <ol>
        <li><Event text={eventText(reason.steps[0]?.from ?? reason.earlier, names)} show={() => show(reason.steps[0]?.from.spanId ?? "")} /></li>
        {reason.steps.map((step, i) => (
          <li key={i}>
            <small class={step.isProof ? "" : "convention"}>↓ {edgeText(step.edge)}{step.isProof ? "" : " (convention)"}</small>
            <Event text={eventText(step.to, names)} show={() => show(step.to.spanId)} />
          </li>
        ))}
      </ol>
    </section>
  );
}

function Event({ text, show }: { readonly text: string; readonly show: () => void }): ComponentChildren {
  return <button type="button" class="event" onClick={show}><bdi>{text}</bdi></button>;
}

const OPEN_SHOWN_MAX = 30;

function Cut({ state, cut, choose }: Props & { readonly cut: number }) {
  const shown = state.shown.value;
  const report = useMemo(() => cutAt(shown, cut), [shown, cut]);
  const where = state.showsSteps ? formatStep(Math.round(cut / STEP) * STEP, STEP) : formatTick(cut, 1000);
  return (
    <section aria-label="Cut">
      <header>
        <h2>Cut at {where}</h2>
        <button type="button" class="button quiet small icon" title="Remove the cut ( | )" aria-label="Remove the cut" onClick={() => state.changeTab({ cut: null })}>
          <Icon name="close" />
        </button>
      </header>
      {report.backwards === 0 ? (
        <p>{plural(report.done, "span")} done, {formatCount(report.open.length)} open, {formatCount(report.ahead)} yet to come; {plural(report.inFlight, "message")} on the way. No message is received before it is sent, so this is a consistent cut.</p>
      ) : (
        <p class="problem">{plural(report.backwards, "message")} would be received before the cut and sent after it: the system was never in this state. On aligned times it is.</p>
      )}
      <ul class="open-spans">
        {report.open.slice(0, OPEN_SHOWN_MAX).map((row) => (
          <li key={row}>
            <button type="button" class="event" onClick={() => choose(row)}>
              <span class="service-mark" data-slot={state.slots[state.trace.service[row] ?? -1]} />
              <Text value={nameOf(state.trace, row)} empty="(no name)" />
              <small><Text value={serviceOf(state.trace, row)} empty="" /></small>
            </button>
          </li>
        ))}
        {report.open.length > OPEN_SHOWN_MAX ? <li><small>and {formatCount(report.open.length - OPEN_SHOWN_MAX)} more</small></li> : null}
      </ul>
    </section>
  );
}
