// The flame graph: where the time went, along the path of calls. Click a frame to zoom, a frame above to
// zoom out; the arrow keys walk, Enter zooms, Escape shows everything.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { frames } from "../../base/frame_scheduler.ts";
import { lineOf } from "../../base/text.ts";
import { formatCount, formatDuration, plural } from "../../base/units.ts";
import { buildFlame, flameStep, frameAt, pathOf, type Flame, type FlameStep } from "../../model/flame.ts";
import { SLOT_COUNT } from "../../model/service_slots.ts";
import { isPlaceholder, nameOf, serviceOf } from "../../model/span_row.ts";
import { exactTerm } from "../../model/statistics.ts";
import { drawFlame, drawFlameMark, FLAME_ROW, flamePlace, type FlameScene } from "../../render/draw_flame.ts";
import type { TraceState } from "../../state/trace_state.ts";
import { canvasTheme, sizedRenderer } from "../../ui/canvas_renderers.ts";
import { ErrorIcon, Icon } from "../../ui/icon.tsx";
import { Notice } from "../../ui/notice.tsx";
import { Text } from "../../ui/text.tsx";
import "./tab_bar.css";
import "./flame_tab.css";

const STEPS: Readonly<Record<string, FlameStep>> = { ArrowUp: "parent", ArrowDown: "child", ArrowLeft: "left", ArrowRight: "right" };

export function FlameTab({ state }: { readonly state: TraceState }) {
  const trace = state.timed.value;
  const flame = useMemo(() => buildFlame(trace, state.selfTimes.value), [trace]);
  const [chosen, setChosen] = useState(() => flame.frameOfRow[state.tab.peek().focus] ?? 0);
  const [hovered, setHovered] = useState(-1);
  const focus = flame.frameOfRow[state.tab.value.focus] ?? 0;
  if ((flame.total[0] ?? 0) <= 0) {
    return (
      <Notice icon="warning" title="There is no time to show">
        <p>No span of this trace has a usable duration. The statistics and the timeline still list them.</p>
      </Notice>
    );
  }
  const zoom = (frame: number): void => {
    setChosen(frame);
    state.changeTab({ focus: frame <= 0 ? -1 : (flame.row[frame] ?? -1) });
  };
  const press = (event: KeyboardEvent): void => {
    const step = STEPS[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if (step !== undefined) setChosen(flameStep(flame, Math.max(0, chosen), step));
    else if (event.key === "Enter") zoom(chosen);
    else if (event.key === "Escape" || event.key === "0") zoom(0);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <section class="trace-tab" aria-label="Flame graph">
      <Path state={state} flame={flame} focus={focus} zoom={zoom} />
      <div class="flame" tabIndex={0} role="application" aria-roledescription="flame graph" aria-label={`Flame graph of ${plural(flame.count - 1, "frame")}. ${labelOf(state, flame, chosen)}`} aria-describedby="flame-detail" onKeyDown={press}>
        <Picture state={state} flame={flame} focus={focus} chosen={chosen} hovered={hovered} hover={setHovered} zoom={zoom} />
      </div>
      <Detail state={state} flame={flame} frame={hovered >= 0 ? hovered : chosen} />
    </section>
  );
}

function labelOf(state: TraceState, flame: Flame, frame: number): string {
  const row = flame.row[frame] ?? -1;
  return row < 0 ? "whole trace" : lineOf(nameOf(state.trace, row), 120) || "(no name)";
}

interface PathProps {
  readonly state: TraceState;
  readonly flame: Flame;
  readonly focus: number;
  readonly zoom: (frame: number) => void;
}

function Path({ state, flame, focus, zoom }: PathProps) {
  return (
    <nav class="tab-bar flame-path" aria-label="Path to the zoomed frame">
      <button type="button" class="button quiet small" disabled={focus === 0} onClick={() => zoom(0)}>Whole trace</button>
      {pathOf(flame, focus).map((frame) => (
        <span key={frame}>
          <Icon name="right" />
          <button type="button" class="button quiet small" disabled={frame === focus} onClick={() => zoom(frame)}>
            <bdi>{labelOf(state, flame, frame)}</bdi>
          </button>
        </span>
      ))}
    </nav>
  );
}

interface PictureProps extends PathProps {
  readonly chosen: number;
  readonly hovered: number;
  readonly hover: (frame: number) => void;
}

function Picture({ state, flame, focus, chosen, hovered, hover, zoom }: PictureProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const picture = useRef<HTMLCanvasElement>(null);
  const marks = useRef<HTMLCanvasElement>(null);
  const [size, setSize] = useState({ width: 0, height: 0, top: 0 });
  const mask = state.found.value?.mask ?? null;
  const matches = useMemo(() => (mask === null ? null : matchingFrames(flame, mask)), [flame, mask]);
  const slots = useMemo(() => Uint8Array.from(flame.row, (row) => (row < 0 || isPlaceholder(state.trace, row) ? SLOT_COUNT : (state.slots[state.trace.service[row] ?? -1] ?? SLOT_COUNT))), [flame]);
  const theme = canvasTheme();
  const scene: FlameScene = { flame, focus, slots, palette: theme.services, matches, scrollTop: size.top, labels: (frame) => labelOf(state, flame, frame) };
  const measure = (): void => {
    const element = scroller.current;
    if (element !== null) setSize({ width: element.clientWidth, height: element.clientHeight, top: element.scrollTop });
  };
  useEffect(() => {
    if (scroller.current === null) return;
    const observer = new ResizeObserver(measure);
    observer.observe(scroller.current);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    const canvas = picture.current;
    if (canvas === null || size.width === 0) return;
    const draw = (): void => drawFlame(sizedRenderer(canvas, size.width, size.height), theme, scene);
    frames.draw(draw);
    return () => frames.forget(draw);
  }, [flame, focus, matches, size, theme]);
  useEffect(() => {
    const canvas = marks.current;
    if (canvas === null || size.width === 0) return;
    const draw = (): void => drawFlameMark(sizedRenderer(canvas, size.width, size.height), theme, scene, chosen, hovered);
    frames.draw(draw);
    return () => frames.forget(draw);
  }, [flame, focus, size, theme, chosen, hovered]);
  useEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const top = (flame.depth[chosen] ?? 0) * FLAME_ROW;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + FLAME_ROW > element.scrollTop + element.clientHeight) element.scrollTop = top + FLAME_ROW - element.clientHeight;
  }, [chosen]);
  const frameUnder = (event: MouseEvent): number => {
    const box = scroller.current?.getBoundingClientRect();
    if (box === undefined) return -1;
    const { depth, place } = flamePlace(scene, size.width, event.clientX - box.left, event.clientY - box.top);
    return frameAt(flame, depth, place);
  };
  return (
    <div
      ref={scroller} tabIndex={0} role="region" aria-label="Frames" class={`flame-scroll ${hovered >= 0 ? "on-frame" : ""}`} onScroll={measure} onPointerMove={(event) => hover(frameUnder(event))}
      onPointerLeave={() => hover(-1)}
      onClick={(event) => {
        const frame = frameUnder(event);
        if (frame >= 0) zoom(frame === focus ? Math.max(0, flame.parent[frame] ?? 0) : frame);
      }}
    >
      <div class="flame-stage" style={{ height: `${size.height}px` }}>
        <canvas ref={picture} />
        <canvas ref={marks} />
      </div>
      <div style={{ height: `${Math.max(0, flame.levels.length * FLAME_ROW - size.height)}px` }} />
    </div>
  );
}

function matchingFrames(flame: Flame, mask: Uint8Array): Uint8Array {
  const matches = new Uint8Array(flame.count);
  flame.frameOfRow.forEach((frame, row) => {
    if (mask[row] === 1) matches[frame] = 1;
  });
  return matches;
}

/** What the picture cannot say, for the frame under the pointer or the chosen one. */
function Detail({ state, flame, frame }: { readonly state: TraceState; readonly flame: Flame; readonly frame: number }) {
  const row = flame.row[frame] ?? -1;
  const total = flame.total[frame] ?? 0;
  const share = (part: number): string => `${((part / Math.max(1, flame.total[0] ?? 0)) * 100).toFixed(1)} %`;
  const self = flame.self[frame] ?? 0;
  const placeholder = row >= 0 && isPlaceholder(state.trace, row);
  const errors = flame.errors[frame] ?? 0;
  return (
    <div class="flame-detail" id="flame-detail" role="status">
      <span class="service-mark" data-slot={row < 0 || placeholder ? SLOT_COUNT : state.slots[state.trace.service[row] ?? -1]} />
      <b>{row < 0 ? "Whole trace" : <Text value={nameOf(state.trace, row)} empty="(no name)" />}</b>
      {row < 0 || placeholder ? null : <span class="service"><Text value={serviceOf(state.trace, row)} empty="(no service name)" /></span>}
      <span>{formatDuration(total)} of work ({share(total)})</span>
      <span>self {formatDuration(self)} ({share(self)})</span>
      <span>{row < 0 ? plural(state.counts.spans, "span") : `${formatCount(flame.spans[frame] ?? 0)} ×`}</span>
      {errors === 0 ? null : <span class="errors"><ErrorIcon />{plural(errors, "error")}</span>}
      {row < 0 || placeholder ? null : (
        <button type="button" class="button quiet small" onClick={() => state.showInTimeline(`${exactTerm("service", serviceOf(state.trace, row))} ${exactTerm("name", nameOf(state.trace, row))}`)}>
          Show in the timeline
        </button>
      )}
    </div>
  );
}
