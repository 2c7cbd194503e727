// The moving part of the timeline: reads scrolling and the pointer, draws once per frame. It touches the
// DOM directly (positions, canvases), because a component update per mouse move would be waste.
import { effect, type Signal } from "@preact/signals";
import { present } from "../../base/assert.ts";
import { frames } from "../../base/frame_scheduler.ts";
import { clampWindow, isFullWindow } from "../../base/time_window.ts";
import { millisOf } from "../../base/time.ts";
import { explainShift, formatStep, STEP } from "../../model/clock_choice.ts";
import { isPlaceholder } from "../../model/span_row.ts";
import { positionOf } from "../../model/visible_rows.ts";
import { paletteOf, type CanvasTheme } from "../../render/canvas_theme.ts";
import { drawGrid } from "../../render/draw_grid.ts";
import { drawOverlay } from "../../render/draw_overlay.ts";
import { drawSpans, type SpanScene } from "../../render/draw_spans.ts";
import { positionOfY, RULER_HEIGHT, rowRange, timeOfX, type TimelineFrame } from "../../render/timeline_frame.ts";
import { themeVersion, treeShare } from "../../state/preferences.ts";
import type { TraceState } from "../../state/trace_state.ts";
import { canvasTheme, sizedRenderer } from "../../ui/canvas_renderers.ts";
import { TimelinePointer } from "./timeline_pointer.ts";

export interface RowWindow {
  readonly first: number;
  readonly end: number;
  readonly rowHeight: number;
}

/** Rows further than this from their container's origin would need coordinates a transform rounds. */
export const ROW_BLOCK = 1000;

export class TimelineView {
  readonly state: TraceState;
  readonly scroller: HTMLElement;
  readonly bars: HTMLElement;
  readonly tree: HTMLElement;
  readonly #range: Signal<RowWindow>;
  readonly #canvases: Readonly<Record<"grid" | "spans" | "overlay", HTMLCanvasElement>>;
  readonly #spacer: HTMLElement;
  readonly #stage: HTMLElement;
  readonly #rowLayer: HTMLElement;
  readonly #hovered: HTMLElement;
  readonly #chosen: HTMLElement;
  readonly #hint: HTMLElement;
  readonly #stops: (() => void)[] = [];
  readonly #drawAll = (): void => this.#draw();
  readonly #drawTop = (): void => this.#drawOverlay(this.frame);
  /** What canvases were drawn of last; while it is the same, they stay as they are. */
  readonly #drawnOf = new WeakMap<HTMLCanvasElement, readonly unknown[]>();
  #theme: CanvasTheme = canvasTheme();
  #size = { width: 0, height: 0 };
  hoverPosition = -1;
  pointerX: number | null = null;
  drag: { from: number; to: number } | null = null;

  constructor(state: TraceState, scroller: HTMLElement, range: Signal<RowWindow>) {
    const find = (selector: string): HTMLElement => present(scroller.querySelector<HTMLElement>(selector), selector);
    const canvas = (name: string): HTMLCanvasElement => present(scroller.querySelector<HTMLCanvasElement>(`canvas.${name}`), name);
    this.state = state;
    this.scroller = scroller;
    this.#range = range;
    this.bars = find(".bars");
    this.tree = find(".tree");
    this.#spacer = find(".spacer");
    this.#stage = find(".stage");
    this.#rowLayer = find(".tree-rows");
    this.#hovered = find(".band.hovered");
    this.#chosen = find(".band.chosen");
    this.#hint = find(".hint");
    this.#canvases = { grid: canvas("grid"), spans: canvas("spans"), overlay: canvas("overlay") };
    const pointer = new TimelinePointer(this);
    const observer = new ResizeObserver(() => this.#measure());
    observer.observe(scroller);
    scroller.addEventListener("scroll", this.#drawAll, { passive: true });
    this.#stops.push(
      () => observer.disconnect(), () => pointer.stop(), () => scroller.removeEventListener("scroll", this.#drawAll),
      ...this.#watch(),
    );
  }

  stop(): void {
    for (const stop of this.#stops) stop();
    frames.forget(this.#drawAll);
    frames.forget(this.#drawTop);
  }

  #watch(): (() => void)[] {
    const { state } = this;
    return [
      effect(() => {
        void themeVersion.value;
        this.#theme = canvasTheme();
        this.redraw();
      }),
      effect(() => {
        void treeShare.value;
        // The tree's new width is in the layout only after Preact has rendered it.
        frames.action(() => this.#measure());
      }),
      effect(() => {
        this.#spacer.style.height = `${RULER_HEIGHT + state.rows.value.length * this.rowHeight}px`;
        this.redraw();
      }),
      effect(() => {
        void [state.window.value, state.found.value, state.selected.value, state.colors.value, state.shown.value];
        this.redraw();
      }),
      effect(() => {
        void state.span.state.value;
        this.redrawOverlay();
      }),
      effect(() => {
        const wish = state.scrollTo.value;
        if (wish !== null) frames.action(() => this.#bringIntoView(wish.row, wish.center));
      }),
    ];
  }

  /** Fingers need taller rows than pointers. */
  get rowHeight(): number {
    return window.matchMedia("(pointer: coarse)").matches ? 34 : 24;
  }

  get frame(): TimelineFrame {
    return {
      width: this.#size.width, height: this.#size.height, rowHeight: this.rowHeight,
      scrollTop: this.scroller.scrollTop, window: this.state.window.peek(),
      ...(this.state.showsSteps ? { tick: formatStep, stepMin: STEP } : {}),
    };
  }

  redraw(): void {
    frames.draw(this.#drawAll);
  }

  redrawOverlay(): void {
    frames.draw(this.#drawTop);
  }

  #measure(): void {
    const height = this.scroller.clientHeight;
    this.#stage.style.height = `${height}px`;
    this.#size = { width: this.bars.clientWidth, height };
    this.redraw();
  }

  #scene(): SpanScene {
    const { state } = this;
    const axis = state.axis.peek();
    return {
      trace: state.shown.peek(), durations: axis === "causal" ? state.trace.duration : state.shown.peek().duration,
      halfWidths: axis === "aligned" ? (state.trace.order?.halfWidth ?? null) : null, rows: state.rows.peek(), colors: state.colors.peek(), palette: paletteOf(this.#theme, state.color.peek()),
      matches: state.found.peek()?.mask ?? null, foldedRun: (row) => state.foldedRun(row), strides: state.folds.stride,
    };
  }

  #draw(): void {
    const { frame } = this;
    if (frame.width <= 0 || frame.height <= 0) return;
    const scene = this.#scene();
    const range = rowRange(frame, scene.rows.length);
    const { width, height } = frame;
    if (this.#isNew(this.#canvases.grid, frame)) drawGrid(sizedRenderer(this.#canvases.grid, width, height), this.#theme, frame);
    drawSpans(sizedRenderer(this.#canvases.spans, width, height), this.#theme, frame, scene);
    this.bars.classList.toggle("zoomed", !isFullWindow(frame.window, this.state.extent));
    const block = Math.floor(range.first / ROW_BLOCK) * ROW_BLOCK;
    this.#rowLayer.style.transform = `translateY(${RULER_HEIGHT + block * frame.rowHeight - frame.scrollTop}px)`;
    const old = this.#range.peek();
    if (old.first !== range.first || old.end !== range.end || old.rowHeight !== frame.rowHeight) {
      this.#range.value = { ...range, rowHeight: frame.rowHeight };
    }
    // Asking the page again how far it is scrolled would make it lay out all that has just changed.
    this.#drawOverlay(frame);
  }

  /** Whether a canvas would look another way than it does, which is told by all that it is drawn of. */
  #isNew(canvas: HTMLCanvasElement, frame: TimelineFrame, ...more: readonly unknown[]): boolean {
    const parts = [this.#theme, frame.width, frame.height, frame.window, frame.tick, window.devicePixelRatio, ...more];
    const last = this.#drawnOf.get(canvas);
    this.#drawnOf.set(canvas, parts);
    return last?.length !== parts.length || parts.some((part, i) => part !== last[i]);
  }

  #drawOverlay(frame: TimelineFrame): void {
    if (frame.width <= 0 || frame.height <= 0) return;
    const scene = this.#scene();
    const row = this.state.selected.peek();
    const position = row < 0 ? -1 : positionOf(scene.rows, row);
    const selected = scene.rows[position] === row ? position : -1;
    this.#place(this.#chosen, selected, frame);
    this.#place(this.#hovered, this.hoverPosition, frame);
    const { pointerX, drag } = this;
    // A selected span on screen moves when it is scrolled, and gets its events later: nothing equals a new object.
    if (this.#isNew(this.#canvases.overlay, frame, pointerX, drag, selected < 0 ? null : {})) {
      drawOverlay(sizedRenderer(this.#canvases.overlay, frame.width, frame.height), this.#theme, frame, scene, {
        selected, eventTimes: this.#eventTimes(), pointerX, drag, before: this.#rawBox(row),
      });
    }
    this.#explain(this.hoverPosition < 0 ? -1 : (scene.rows[this.hoverPosition] ?? -1));
  }

  /** Where the row's own clock puts it, on the aligned axis. */
  #rawBox(row: number): { start: number; end: number } | null {
    const { trace, shown, axis } = this.state;
    const raw = trace.start[row] ?? Number.NaN;
    if (axis.peek() !== "aligned" || Number.isNaN(raw)) return null;
    const start = raw + Number(BigInt(trace.startUnixNano) - BigInt(shown.peek().startUnixNano));
    return { start, end: start + Math.max(0, trace.duration[row] ?? 0) };
  }

  /** What alignment did with the row under the pointer. */
  #explain(row: number): void {
    const text = row < 0 || this.state.axis.peek() !== "aligned" ? "" : explainShift(this.state.trace, row);
    if (this.#hint.textContent === text) return;
    this.#hint.textContent = text;
    this.#hint.hidden = text === "";
  }

  #place(band: HTMLElement, position: number, frame: TimelineFrame): void {
    const y = RULER_HEIGHT + position * frame.rowHeight - frame.scrollTop;
    const visible = position >= 0 && y > RULER_HEIGHT - frame.rowHeight && y < frame.height;
    band.style.visibility = visible ? "visible" : "hidden";
    if (!visible) return;
    band.style.height = `${frame.rowHeight}px`;
    band.style.transform = `translateY(${y}px)`;
  }

  /** Offsets of the selected span's events. Within one millisecond BigInt is exact where numbers are not. */
  #eventTimes(): number[] {
    const { trace, shown, axis, span, selected } = this.state;
    const row = selected.peek();
    if (row < 0 || isPlaceholder(trace, row) || axis.peek() === "causal") return [];
    const shift = (shown.peek().start[row] ?? 0) - (trace.start[row] ?? 0);
    const events = span.state.peek().value?.spans.flatMap((one) => one.events) ?? [];
    return events.filter((one) => !Number.isNaN(millisOf(one.timeUnixNano))).map((one) => Number(BigInt(one.timeUnixNano) - BigInt(trace.startUnixNano)) + shift);
  }

  #bringIntoView(row: number, center: boolean): void {
    const { frame } = this;
    const position = positionOf(this.state.rows.peek(), row);
    if (position < 0 || frame.height === 0) return;
    const top = position * frame.rowHeight;
    const body = frame.height - RULER_HEIGHT;
    const above = top < frame.scrollTop;
    const below = top + frame.rowHeight > frame.scrollTop + body;
    if (!above && !below) return;
    this.scroller.scrollTop = center ? top - body / 2 : above ? top : top + frame.rowHeight - body;
  }

  rowAt(y: number): number {
    const rows = this.state.rows.peek();
    const position = positionOfY(this.frame, y, rows.length);
    return position < 0 ? -1 : (rows[position] ?? -1);
  }

  /** The end of a drag on the ruler. */
  zoomToDrag(): void {
    const { drag } = this;
    this.drag = null;
    if (drag === null) return;
    const wish = { start: Math.min(drag.from, drag.to), end: Math.max(drag.from, drag.to) };
    const { frame } = this;
    const pixels = ((wish.end - wish.start) / (frame.window.end - frame.window.start)) * frame.width;
    if (pixels > 4) this.state.window.value = clampWindow(wish, this.state.extent);
    this.redrawOverlay();
  }

  timeAt(x: number): number {
    return timeOfX(this.frame, x);
  }
}
