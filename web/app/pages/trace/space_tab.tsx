// Space-time: a lane per clock, the messages between them, and what is proven around a span. Click a span for its
// cone, a second one (Shift, or "Relate") for how the two relate and why; drag the cut to see what is open at a moment.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { fetchCone, fetchRelation, type Cone, type SpanRelation } from "../../api/order.ts";
import { lineOf } from "../../base/text.ts";
import { clampWindow } from "../../base/time_window.ts";
import { communicating, layoutLanes, LOCAL_CHOICES, spanStep, type LocalChoice } from "../../model/lanes.ts";
import { coneOfRows } from "../../model/relation_words.ts";
import { isPlaceholder, nameOf, spanIdOf } from "../../model/span_row.ts";
import { ARROW_SPANS_MAX } from "../../render/draw_space.ts";
import { Remote } from "../../state/remote.ts";
import type { TraceState } from "../../state/trace_state.ts";
import { Notice } from "../../ui/notice.tsx";
import { SpaceLegend } from "./space_legend.tsx";
import { SpacePanel } from "./space_panel.tsx";
import { SpacePicture } from "./space_picture.tsx";
import "./tab_bar.css";
import "./stage.css";
import "./space_tab.css";

const STEPS = { ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down" } as const;

export function SpaceTab({ state }: { readonly state: TraceState }) {
  const { trace } = state;
  const shown = state.shown.value;
  const tab = state.tab.value;
  const selected = state.selected.value;
  const second = tab.focus === selected ? -1 : tab.focus;
  const local: LocalChoice = LOCAL_CHOICES.find((one) => one.id === tab.group)?.id ?? "";
  const [picking, setPicking] = useState(false);
  const talks = useMemo(() => communicating(trace), [trace]);
  const keep = [selected, second].filter((row) => row >= 0 && talks[row] !== 1);
  const layout = useMemo(() => layoutLanes(shown, talks, local, keep), [shown, local, keep.join()]);
  const cone = useRemote<Cone>(selected < 0 || isPlaceholder(trace, selected) ? null : (signal) => fetchCone(trace.traceId, spanIdOf(trace, selected), signal), selected);
  const related = useRemote<SpanRelation>(
    selected < 0 || second < 0 ? null : (signal) => fetchRelation(trace.traceId, spanIdOf(trace, selected), spanIdOf(trace, second), signal), `${selected} ${second}`,
  );
  const found = cone.state.value;
  const rowCone = useMemo(() => (found.status === "ready" && selected >= 0 ? coneOfRows(trace, found.value) : null), [found]);
  const axis = useRef(shown);
  useEffect(() => {
    // A moment on one axis is none on another.
    if (axis.current !== shown && state.tab.peek().cut !== null) state.changeTab({ cut: null });
    axis.current = shown;
  }, [shown]);
  if (trace.order === null) {
    return (
      <Notice icon="warning" title="This server does not say in what order things happened">
        <p>A newer version of the server knows the clocks and messages of a trace.</p>
      </Notice>
    );
  }
  if (layout.lanes.length === 0) return <Notice icon="warning" title="There is no time to show"><p>No span of this trace has a usable time.</p></Notice>;

  const choose = (row: number, other: boolean): void => {
    setPicking(false);
    if (row < 0) return;
    if ((other || picking) && selected >= 0) {
      if (row !== selected) state.changeTab({ focus: row });
      return;
    }
    state.select(row);
    intoView(row);
  };
  const intoView = (row: number): void => {
    const { start, end } = state.window.peek();
    const [from, to] = [shown.start[row] ?? 0, (shown.start[row] ?? 0) + (shown.duration[row] ?? 0)];
    if (to >= start && from <= end) return;
    const width = end - start;
    state.window.value = clampWindow({ start: from - width / 3, end: from + (width * 2) / 3 }, shown.extent);
  };
  const clear = (): void => {
    if (picking) setPicking(false);
    else if (second >= 0) state.changeTab({ focus: -1 });
    else state.selected.value = -1;
  };
  const toggleCut = (): void => {
    const { start, end } = state.window.peek();
    state.changeTab({ cut: tab.cut === null ? Math.round((start + end) / 2) : null });
  };
  const press = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const step = STEPS[event.key as keyof typeof STEPS];
    if (step !== undefined) choose(spanStep(layout, shown, picking && second >= 0 ? second : selected, step), false);
    else if (event.key === "Escape") clear();
    else if (event.key === "x" && selected >= 0) setPicking(!picking);
    else if (event.key === "|") toggleCut();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const label = selected < 0 ? "Nothing is selected." : `Selected: ${lineOf(nameOf(trace, selected))}.`;
  return (
    <section class="trace-tab space-tab" aria-label="Space-time">
      <SpaceLegend state={state} layout={layout} local={local} toggleCut={toggleCut} arrowsOff={trace.rowCount > ARROW_SPANS_MAX} coned={rowCone !== null} />
      <div class="space-body">
        <SpacePicture state={state} layout={layout} second={second} cone={rowCone?.part ?? null} picking={picking} choose={choose} press={press} label={label} />
        <SpacePanel state={state} layout={layout} second={second} cone={cone} counts={rowCone?.counts ?? null} related={related} picking={picking} pick={setPicking} choose={(row) => choose(row, false)} clear={clear} />
      </div>
    </section>
  );
}

/** What is loaded anew when the key changes; null stops and forgets. */
function useRemote<T>(request: ((signal: AbortSignal) => Promise<T>) | null, key: unknown): Remote<T> {
  const [remote] = useState(() => new Remote<T>());
  useEffect(() => {
    if (request !== null) void remote.load(request, false);
    return () => remote.stop();
  }, [key]);
  return remote;
}
