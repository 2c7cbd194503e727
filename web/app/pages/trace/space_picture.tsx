// The lanes on their canvases, with names of clocks beside them, the pointer, the wheel and the cut's handle.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { frames } from "../../base/frame_scheduler.ts";
import { lineOf } from "../../base/text.ts";
import { formatDuration, formatTick, plural } from "../../base/units.ts";
import { clockName, explainShift, formatStep, STEP } from "../../model/clock_choice.ts";
import { barMiddle, type LaneLayout } from "../../model/lanes.ts";
import { nameOf, serviceOf } from "../../model/span_row.ts";
import { paletteOf } from "../../render/canvas_theme.ts";
import { drawGrid } from "../../render/draw_grid.ts";
import { ARROW_SPANS_MAX, drawSpace, drawSpaceOverlay, laneRange, spaceRowAt, type SpaceScene } from "../../render/draw_space.ts";
import { RULER_HEIGHT, timeOfX, xOfTime, type TimelineFrame } from "../../render/timeline_frame.ts";
import type { TraceState } from "../../state/trace_state.ts";
import { canvasTheme, sizedRenderer } from "../../ui/canvas_renderers.ts";
import { Text } from "../../ui/text.tsx";

interface Props {
  readonly state: TraceState;
  readonly layout: LaneLayout;
  readonly second: number;
  readonly cone: Uint8Array | null;
  readonly picking: boolean;
  readonly choose: (row: number, other: boolean) => void;
  readonly press: (event: KeyboardEvent) => void;
  readonly label: string;
}

const DRAG_PIXELS_MIN = 4;
const ZOOM_PER_PIXEL = 0.002;
/** Share of the window that one press of an arrow key moves the cut by. */
const CUT_STEP = 0.01;

export function SpacePicture({ state, layout, second, cone, picking, choose, press, label }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const area = useRef<HTMLDivElement>(null);
  const canvases = [useRef<HTMLCanvasElement>(null), useRef<HTMLCanvasElement>(null), useRef<HTMLCanvasElement>(null)] as const;
  const [size, setSize] = useState({ width: 0, height: 0, top: 0 });
  const [hover, setHover] = useState<{ readonly row: number; readonly x: number | null }>({ row: -1, x: null });
  const drag = useRef<{ readonly x: number; readonly y: number; lastX: number; lastY: number; moved: boolean } | null>(null);
  const { trace } = state;
  const shown = state.shown.value;
  const selected = state.selected.value;
  const theme = canvasTheme();
  const { cut } = state.tab.value;
  const window = state.window.value;
  const frame: TimelineFrame = { width: size.width, height: size.height, rowHeight: 1, scrollTop: size.top, window, ...(state.showsSteps ? { tick: formatStep, stepMin: STEP } : {}) };
  const scene: SpaceScene = {
    shown, layout, colors: state.colors.value, palette: paletteOf(theme, state.color.value), matches: state.found.value?.mask ?? null, cone, selected, second,
    allArrows: trace.rowCount <= ARROW_SPANS_MAX, labels: (row) => lineOf(nameOf(trace, row), 80),
  };
  const measure = (): void => {
    const [box, inner] = [scroller.current, area.current];
    if (box !== null && inner !== null) setSize({ width: inner.clientWidth, height: box.clientHeight, top: box.scrollTop });
  };
  useEffect(() => {
    if (scroller.current === null) return;
    const observer = new ResizeObserver(measure);
    observer.observe(scroller.current);
    return () => observer.disconnect();
  }, []);
  // Before the frame, not after it as other effects are: a picture one frame late lags behind the pointer.
  useLayoutEffect(() => {
    const [grid, bars] = [canvases[0].current, canvases[1].current];
    if (grid === null || bars === null || size.width <= 0) return;
    const draw = (): void => {
      drawGrid(sizedRenderer(grid, size.width, size.height), theme, frame);
      drawSpace(sizedRenderer(bars, size.width, size.height), theme, frame, scene);
    };
    frames.draw(draw);
    return () => frames.forget(draw);
  }, [shown, layout, size, theme, window, cone, selected, second, scene.matches, scene.colors]);
  useLayoutEffect(() => {
    const canvas = canvases[2].current;
    if (canvas === null || size.width <= 0) return;
    const draw = (): void => drawSpaceOverlay(sizedRenderer(canvas, size.width, size.height), theme, frame, scene, { hovered: hover.row, pointerX: hover.x, cut, halfWidths: state.axis.peek() === "aligned" ? (trace.order?.halfWidth ?? null) : null });
    frames.draw(draw);
    return () => frames.forget(draw);
  }, [shown, layout, size, theme, window, selected, second, hover, cut]);
  useEffect(() => {
    const box = scroller.current;
    const y = barMiddle(layout, selected);
    if (box === null || Number.isNaN(y)) return;
    const body = box.clientHeight - RULER_HEIGHT;
    if (y - 16 < box.scrollTop || y + 16 > box.scrollTop + body) box.scrollTop = y - body / 2;
  }, [selected, layout]);
  useEffect(() => {
    const box = scroller.current;
    if (box === null) return;
    // Not as an attribute: only a listener that is not passive may keep the page from zooming.
    const wheel = (event: WheelEvent): void => {
      const bounds = area.current?.getBoundingClientRect();
      if (bounds === undefined) return;
      if (event.ctrlKey || event.metaKey) {
        event.preventDefault();
        state.zoom(Math.exp(event.deltaY * ZOOM_PER_PIXEL * (Math.abs(event.deltaY) < 20 ? 4 : 1)), Math.min(1, Math.max(0, (event.clientX - bounds.left) / bounds.width)));
        return;
      }
      const sideways = event.shiftKey && event.deltaX === 0 ? event.deltaY : event.deltaX;
      if (sideways === 0 || (!event.shiftKey && Math.abs(sideways) < Math.abs(event.deltaY))) return;
      event.preventDefault();
      state.pan(sideways / bounds.width);
    };
    box.addEventListener("wheel", wheel, { passive: false });
    return () => box.removeEventListener("wheel", wheel);
  }, [state]);

  const at = (event: MouseEvent): { readonly x: number; readonly y: number } => {
    const bounds = area.current?.getBoundingClientRect();
    return { x: event.clientX - (bounds?.left ?? 0), y: event.clientY - (bounds?.top ?? 0) };
  };
  const move = (event: PointerEvent): void => {
    const { x, y } = at(event);
    const pressed = drag.current;
    if (pressed !== null) {
      if (!pressed.moved && Math.hypot(x - pressed.x, y - pressed.y) < DRAG_PIXELS_MIN) return;
      pressed.moved = true;
      state.pan((pressed.lastX - x) / Math.max(1, size.width));
      if (event.pointerType !== "touch" && scroller.current !== null) scroller.current.scrollTop += pressed.lastY - y;
      pressed.lastX = x;
      pressed.lastY = y;
    }
    setHover({ row: spaceRowAt(frame, scene, x, y), x });
  };
  const range = laneRange(layout, frame);
  return (
    <div ref={scroller} class="space-scroll" onScroll={measure}>
      <div class={`stage ${hover.row >= 0 ? "on-span" : ""} ${picking ? "picking" : ""}`} style={{ height: `${size.height}px` }}>
        <div class="space-lanes" aria-label="Clocks" role="list">
          {layout.lanes.slice(range.first, range.end).map((lane) => {
            const clock = trace.order?.clocks[lane.clock];
            const name = clock === undefined ? "clock not known" : clockName(clock);
            // The name stays in sight while its lane is.
            const hidden = Math.max(0, Math.min(lane.height - 34, size.top - lane.top));
            return (
              <div key={lane.clock} role="listitem" class="lane" title={clock === undefined ? "" : `${name}\n${clock.id}\n${lineOf(clock.instance ?? "")}`} style={{ top: `${RULER_HEIGHT + lane.top + hidden - size.top}px`, height: `${lane.height - hidden}px` }}>
                <b><Text value={clock?.service ?? name} /></b>
                <small><Text value={clock?.host ?? clock?.instance ?? clock?.id ?? ""} empty="" />{clock?.tagged === false ? ", no stamps" : ""}{lane.clock === trace.order?.reference ? ", reference" : ""}</small>
                {lane.height < 56 ? null : <small>{plural(lane.rows.length, "span")}{lane.folded > 0 ? `, ${lane.folded} folded` : ""}</small>}
              </div>
            );
          })}
          <div class="corner">Clocks</div>
        </div>
        <div
          ref={area} class="space-area area" tabIndex={0} role="application" aria-roledescription="space-time diagram" onKeyDown={press}
          aria-label={`${plural(layout.lanes.length, "clock")}. ${label} Arrow keys walk along and between clocks, x relates a second span.`}
          onPointerDown={(event) => {
            if (event.button !== 0) return;
            const { x, y } = at(event);
            drag.current = { x, y, lastX: x, lastY: y, moved: false };
            event.currentTarget.setPointerCapture(event.pointerId);
          }}
          onPointerMove={move}
          onPointerUp={(event) => {
            const pressed = drag.current;
            drag.current = null;
            if (pressed === null || pressed.moved) return;
            choose(spaceRowAt(frame, scene, pressed.x, pressed.y), event.shiftKey || event.ctrlKey || event.metaKey);
          }}
          onPointerCancel={() => (drag.current = null)}
          onPointerLeave={() => setHover({ row: -1, x: null })}
          onDblClick={() => state.zoomToSelected()}
        >
          {canvases.map((canvas, i) => <canvas key={i} ref={canvas} />)}
          {cut === null || size.width <= 0 ? null : <CutHandle state={state} frame={frame} cut={cut} />}
          {hover.row < 0 ? null : (
            <output class="hint">
              <Text value={nameOf(trace, hover.row)} empty="(no name)" /> · <Text value={serviceOf(trace, hover.row)} empty="(no service name)" /> · {formatDuration(state.timed.value.duration[hover.row] ?? Number.NaN)}
              {state.axis.value === "aligned" ? ` · ${explainShift(trace, hover.row)}` : ""}
            </output>
          )}
        </div>
      </div>
      <div style={{ height: `${Math.max(0, layout.height + RULER_HEIGHT + 24 - size.height)}px` }} />
    </div>
  );
}

function CutHandle({ state, frame, cut }: { readonly state: TraceState; readonly frame: TimelineFrame; readonly cut: number }) {
  const x = xOfTime(frame, cut);
  const put = (time: number): void => state.changeTab({ cut: Math.round(Math.min(state.extent, Math.max(0, time))) });
  const label = state.showsSteps ? formatStep(Math.round(cut / STEP) * STEP, STEP) : formatTick(cut, Math.max(1, (frame.window.end - frame.window.start) / 1000));
  const width = frame.window.end - frame.window.start;
  return (
    <button
      type="button" class="cut-handle" role="slider" aria-label="Cut" aria-valuemin={0} aria-valuemax={Math.round(state.extent)} aria-valuenow={Math.round(cut)} aria-valuetext={label}
      style={{ left: `${Math.min(frame.width, Math.max(0, x))}px` }}
      onPointerDown={(event) => {
        event.stopPropagation();
        event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerMove={(event) => {
        const area = event.currentTarget.parentElement;
        if (area === null || !event.currentTarget.hasPointerCapture(event.pointerId)) return;
        event.stopPropagation();
        put(timeOfX(frame, event.clientX - area.getBoundingClientRect().left));
      }}
      onPointerUp={(event) => event.stopPropagation()}
      onKeyDown={(event) => {
        const step = event.key === "ArrowLeft" ? -1 : event.key === "ArrowRight" ? 1 : 0;
        if (step === 0) return;
        event.preventDefault();
        event.stopPropagation();
        put(cut + step * (state.showsSteps ? STEP : width * CUT_STEP));
      }}
    >
      {label}
    </button>
  );
}
