// Durations over time on two canvases, a lower one with the data and an upper one with what follows the pointer.
// Dragging a box narrows the search to that time and duration; what else a pointer does is the caller's.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { present } from "../../base/assert.ts";
import { frames } from "../../base/frame_scheduler.ts";
import type { CanvasTheme } from "../../render/canvas_theme.ts";
import type { Renderer } from "../../render/renderer.ts";
import type { ScatterDrag, ScatterFrame } from "../../render/scatter.ts";
import { themeVersion, timeZone } from "../../state/preferences.ts";
import { canvasTheme, sizedRenderer } from "../../ui/canvas_renderers.ts";
import { narrow } from "./narrow.ts";
import "./duration_plot.css";

/** A shorter movement is a click. */
const DRAG_PIXELS_MIN = 6;

export interface PlotPoint {
  readonly x: number;
  readonly y: number;
  readonly frame: ScatterFrame;
}

interface Props<T> {
  /** What is drawn; another one is drawn anew. */
  readonly data: T;
  /** What the overlay shows besides the dragged box. */
  readonly mark: unknown;
  readonly label: string;
  readonly pointing: boolean;
  readonly frameOf: (data: T, width: number, height: number) => ScatterFrame;
  readonly draw: (renderer: Renderer, theme: CanvasTheme, frame: ScatterFrame) => void;
  readonly drawOverlay: (renderer: Renderer, theme: CanvasTheme, frame: ScatterFrame, drag: ScatterDrag | null) => void;
  /** The pointer is here and drags nothing, or has left. */
  readonly hover: (point: PlotPoint | null) => void;
  readonly click?: (point: PlotPoint) => void;
  readonly children?: (size: { readonly width: number; readonly height: number }, dragging: boolean) => ComponentChildren;
}

export function DurationPlot<T>({ data, mark, label, pointing, frameOf, draw, drawOverlay, hover, click, children }: Props<T>) {
  const box = useRef<HTMLDivElement>(null);
  const base = useRef<HTMLCanvasElement>(null);
  const top = useRef<HTMLCanvasElement>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  const [drag, setDrag] = useState<ScatterDrag | null>(null);
  const frame = frameOf(data, size.width, size.height);
  const zone = timeZone.value;
  const version = themeVersion.value;
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => setSize({ width: element.clientWidth, height: element.clientHeight }));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const paint = (canvas: HTMLCanvasElement | null, paintOn: (renderer: Renderer) => void): (() => void) | undefined => {
    // Effects run after painting; by then a click may have left this page.
    if (size.width === 0 || canvas === null) return undefined;
    const task = (): void => paintOn(sizedRenderer(canvas, size.width, size.height));
    frames.draw(task);
    return () => frames.forget(task);
  };
  useEffect(() => paint(base.current, (renderer) => draw(renderer, canvasTheme(), frame)), [data, size, zone, version]);
  useEffect(() => paint(top.current, (renderer) => drawOverlay(renderer, canvasTheme(), frame, drag)), [data, size, mark, drag, version]);

  const at = (event: MouseEvent): PlotPoint => {
    const bounds = present(box.current, "plot").getBoundingClientRect();
    return { x: event.clientX - bounds.left, y: event.clientY - bounds.top, frame };
  };
  const release = (): void => {
    if (drag === null) return;
    setDrag(null);
    if (Math.max(Math.abs(drag.x1 - drag.x0), Math.abs(drag.y1 - drag.y0)) >= DRAG_PIXELS_MIN) narrow(frame, drag);
    else click?.({ x: drag.x0, y: drag.y0, frame });
  };
  return (
    <div
      ref={box} class={`duration-plot ${pointing ? "on-point" : ""}`} role="img" aria-label={label}
      onPointerMove={(event) => {
        const point = at(event);
        if (drag === null) hover(point);
        else setDrag({ ...drag, x1: point.x, y1: point.y });
      }}
      onPointerLeave={() => {
        if (drag === null) hover(null);
      }}
      onPointerDown={(event) => {
        if (event.button !== 0 || event.pointerType === "touch") return;
        event.currentTarget.setPointerCapture(event.pointerId);
        const { x, y } = at(event);
        setDrag({ x0: x, y0: y, x1: x, y1: y });
      }}
      onPointerUp={release}
      onPointerCancel={() => setDrag(null)}
      onClick={(event) => {
        // A mouse acted on release already; a finger has no hover, so its tap is the click.
        if (event instanceof PointerEvent && event.pointerType === "touch") click?.(at(event));
      }}
    >
      <canvas ref={base} />
      <canvas ref={top} />
      {children?.(size, drag !== null)}
    </div>
  );
}
