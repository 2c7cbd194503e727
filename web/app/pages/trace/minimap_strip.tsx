// The whole trace in a strip, with a brush: drag to choose a time range, drag an edge or the window to
// change it, double-click to see everything. The keys of the timeline do the same without a pointer.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { TracePart } from "../../api/client.ts";
import { present } from "../../base/assert.ts";
import { frames } from "../../base/frame_scheduler.ts";
import { clampWindow, fullWindow, isFullWindow, type TimeWindow } from "../../base/time_window.ts";
import { formatDuration } from "../../base/units.ts";
import { windowOfPart } from "../../model/trace_part.ts";
import { paletteOf } from "../../render/canvas_theme.ts";
import { drawBrush, drawMinimap, minimapGrid } from "../../render/minimap.ts";
import { themeVersion } from "../../state/preferences.ts";
import type { TraceState } from "../../state/trace_state.ts";
import { canvasTheme, sizedRenderer } from "../../ui/canvas_renderers.ts";
import "./minimap_strip.css";

const EDGE_PIXELS = 6;

type Grip = "left" | "right" | "window" | "new";

interface Drag {
  readonly grip: Grip;
  readonly startTime: number;
  readonly from: TimeWindow;
}

export function MinimapStrip({ state }: { readonly state: TraceState }) {
  const box = useRef<HTMLDivElement>(null);
  const map = useRef<HTMLCanvasElement>(null);
  const brush = useRef<HTMLCanvasElement>(null);
  const drag = useRef<Drag | null>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  const [cursor, setCursor] = useState("");
  const version = themeVersion.value;
  const view = state.window.value;
  const colors = state.colors.value;
  const shown = state.shown.value;

  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => setSize({ width: element.clientWidth, height: element.clientHeight }));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    // Effects run after painting; by then a click may have left this page.
    const canvas = map.current;
    if (size.width === 0 || canvas === null) return;
    const grid = minimapGrid(shown, colors, Math.round(size.width), size.height - 12);
    const theme = canvasTheme();
    drawMinimap(sizedRenderer(canvas, size.width, size.height), theme, paletteOf(theme, state.color.peek()), grid);
  }, [state, size, version, colors, shown]);
  useLayoutEffect(() => {
    const canvas = brush.current;
    if (size.width === 0 || canvas === null) return;
    const draw = (): void => {
      drawBrush(sizedRenderer(canvas, size.width, size.height), canvasTheme(), view, state.extent);
    };
    frames.draw(draw);
    return () => frames.forget(draw);
  }, [state, size, version, view, shown]);

  const extent = fullWindow(state.extent).end;
  const timeAt = (event: PointerEvent): number => {
    const bounds = present(box.current, "minimap").getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - bounds.left) / bounds.width)) * extent;
  };
  const gripAt = (time: number): Grip => {
    if (isFullWindow(view, state.extent)) return "new";
    const reach = (EDGE_PIXELS / size.width) * extent;
    if (Math.abs(time - view.start) <= reach) return "left";
    if (Math.abs(time - view.end) <= reach) return "right";
    return time > view.start && time < view.end ? "window" : "new";
  };

  return (
    <div
      ref={box} class={`minimap-strip ${cursor}`} role="img"
      aria-label={`Whole trace; the timeline shows ${formatDuration(view.start)} to ${formatDuration(view.end)} of ${formatDuration(state.extent)}`}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        event.currentTarget.setPointerCapture(event.pointerId);
        const time = timeAt(event);
        drag.current = { grip: gripAt(time), startTime: time, from: view };
      }}
      onPointerMove={(event) => {
        const time = timeAt(event);
        if (drag.current !== null) {
          frames.action(() => dragTo(state, drag.current, time));
          return;
        }
        const grip = gripAt(time);
        setCursor(grip === "new" ? "" : grip === "window" ? "on-window" : "on-edge");
      }}
      onPointerUp={() => (drag.current = null)}
      onPointerCancel={() => (drag.current = null)}
      onDblClick={() => state.showAll()}
    >
      <canvas ref={map} />
      <canvas ref={brush} />
      {state.part === null ? null : <LoadedPart state={state} part={state.part} />}
    </div>
  );
}

/** Of a trace that is here in part: which time it is of. */
function LoadedPart({ state, part }: { readonly state: TraceState; readonly part: TracePart }) {
  const { start, end } = windowOfPart(state.trace, part);
  const percent = (time: number): number => Math.min(100, Math.max(0, (time / state.trace.extent) * 100));
  return <i class="loaded-part" title="What is loaded" style={{ left: `${percent(start)}%`, width: `${percent(end) - percent(start)}%` }} />;
}

function dragTo(state: TraceState, drag: Drag | null, time: number): void {
  if (drag === null) return;
  const { grip, from, startTime } = drag;
  const shift = time - startTime;
  const wish: TimeWindow =
    grip === "window" ? { start: from.start + shift, end: from.end + shift }
    : grip === "left" ? { start: Math.min(time, from.end), end: Math.max(time, from.end) }
    : grip === "right" ? { start: Math.min(time, from.start), end: Math.max(time, from.start) }
    : { start: Math.min(time, startTime), end: Math.max(time, startTime) };
  if (wish.end > wish.start) state.window.value = clampWindow(wish, state.extent);
}
