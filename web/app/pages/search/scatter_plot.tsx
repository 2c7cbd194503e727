// Duration over start time, one mark per listed trace. Hover names it, a click opens it, dragging a box
// narrows the search to that time and duration. The list below says the same in text, for those who
// cannot see or point.
import { useEffect, useRef, useState } from "preact/hooks";
import { frames } from "../../base/frame_scheduler.ts";
import { formatDateTime } from "../../base/time.ts";
import { formatDuration, plural } from "../../base/units.ts";
import type { TraceSummary } from "../../api/trace_summary.ts";
import { present } from "../../base/assert.ts";
import { readCanvasTheme } from "../../render/canvas_theme.ts";
import {
  drawScatter, drawScatterOverlay, durationOf, scatterFrame, traceAt, type ScatterDrag,
} from "../../render/scatter.ts";
import { navigate } from "../../state/location.ts";
import { themeVersion, timeZone } from "../../state/preferences.ts";
import { hoveredTrace } from "../../state/search_state.ts";
import { sizedRenderer } from "../../ui/canvas_renderers.ts";
import { Text } from "../../ui/text.tsx";
import { narrow } from "./narrow.ts";
import "./scatter_plot.css";

/** A shorter movement is a click. */
const DRAG_PIXELS_MIN = 6;

export function ScatterPlot({ traces }: { readonly traces: readonly TraceSummary[] }) {
  const box = useRef<HTMLDivElement>(null);
  const base = useRef<HTMLCanvasElement>(null);
  const top = useRef<HTMLCanvasElement>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  const [drag, setDrag] = useState<ScatterDrag | null>(null);
  const [tip, setTip] = useState<{ readonly trace: TraceSummary; readonly x: number; readonly y: number } | null>(null);
  const frame = scatterFrame(traces, size.width, size.height);
  const hoveredId = hoveredTrace.value;
  const zone = timeZone.value;
  const version = themeVersion.value;

  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => setSize({ width: element.clientWidth, height: element.clientHeight }));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  useEffect(() => {
    // Effects run after painting; by then a click may have left this page.
    const canvas = base.current;
    if (size.width === 0 || canvas === null) return;
    const draw = (): void => {
      const renderer = sizedRenderer(canvas, size.width, size.height);
      drawScatter(renderer, readCanvasTheme(), frame, traces, zone);
    };
    frames.draw(draw);
    return () => frames.forget(draw);
  }, [traces, size, zone, version]);

  useEffect(() => {
    const canvas = top.current;
    if (size.width === 0 || canvas === null) return;
    const draw = (): void => {
      const renderer = sizedRenderer(canvas, size.width, size.height);
      drawScatterOverlay(renderer, readCanvasTheme(), frame, traces.find((one) => one.traceId === hoveredId), drag);
    };
    frames.draw(draw);
    return () => frames.forget(draw);
  }, [traces, size, hoveredId, drag, version]);

  const at = (event: PointerEvent): { x: number; y: number } => {
    const bounds = present(box.current, "plot").getBoundingClientRect();
    return { x: event.clientX - bounds.left, y: event.clientY - bounds.top };
  };
  const hover = (event: PointerEvent): void => {
    const { x, y } = at(event);
    if (drag !== null) {
      setDrag({ ...drag, x1: x, y1: y });
      return;
    }
    const trace = traces[traceAt(frame, traces, x, y)];
    hoveredTrace.value = trace?.traceId ?? null;
    setTip(trace === undefined ? null : { trace, x, y });
  };
  const release = (): void => {
    if (drag === null) return;
    setDrag(null);
    const moved = Math.max(Math.abs(drag.x1 - drag.x0), Math.abs(drag.y1 - drag.y0));
    const trace = traces[traceAt(frame, traces, drag.x0, drag.y0)];
    if (moved >= DRAG_PIXELS_MIN) narrow(frame, drag);
    else if (trace !== undefined) navigate(`/trace/${trace.traceId}`);
  };

  return (
    <div
      ref={box} class={`scatter-plot ${tip === null ? "" : "on-point"}`} role="img"
      aria-label={`Duration over start time of ${plural(traces.length, "trace")}; the list below has the same traces`}
      onPointerMove={hover}
      onPointerLeave={() => {
        if (drag !== null) return;
        hoveredTrace.value = null;
        setTip(null);
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
        // A mouse acted on release already; a finger has no hover, so its tap opens.
        if (!(event instanceof PointerEvent) || event.pointerType !== "touch") return;
        const { x, y } = at(event);
        const trace = traces[traceAt(frame, traces, x, y)];
        if (trace !== undefined) navigate(`/trace/${trace.traceId}`);
      }}
    >
      <canvas ref={base} />
      <canvas ref={top} />
      <Legend traces={traces} />
      {tip === null || drag !== null ? null : <Tip {...tip} size={size} />}
    </div>
  );
}

function Legend({ traces }: { readonly traces: readonly TraceSummary[] }) {
  return (
    <div class="scatter-legend" aria-hidden="true">
      {traces.some((one) => one.errors > 0) ? <span class="error"><i />error</span> : null}
      {traces.some((one) => one.errors === 0 && !one.complete) ? <span class="incomplete"><i />incomplete</span> : null}
      {traces.length > 0 ? <span><i />trace</span> : null}
    </div>
  );
}

interface TipProps {
  readonly trace: TraceSummary;
  readonly x: number;
  readonly y: number;
  readonly size: { readonly width: number; readonly height: number };
}

function Tip({ trace, x, y, size }: TipProps) {
  const side = x > size.width / 2 ? { right: `${size.width - x + 16}px` } : { left: `${x + 16}px` };
  const level = y > size.height / 2 ? { bottom: `${size.height - y + 4}px` } : { top: `${y + 4}px` };
  return (
    <div class="tip" style={{ ...side, ...level }}>
      <b>
        <Text value={trace.rootService ?? "root not received"} /> <Text value={trace.rootName ?? ""} empty="" />
      </b>
      {formatDuration(durationOf(trace))} · {plural(trace.spans, "span")}
      {trace.errors > 0 ? ` · ${plural(trace.errors, "error")}` : ""}
      <br />
      {formatDateTime(trace.startUnixNano, timeZone.value)}
    </div>
  );
}
