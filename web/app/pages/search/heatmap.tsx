// All matches of the search by time and duration, counted by the server: a box around cells narrows the search.
import { useEffect, useRef, useState } from "preact/hooks";
import { fetchHeat } from "../../api/heat.ts";
import { frames } from "../../base/frame_scheduler.ts";
import { formatDateTime } from "../../base/time.ts";
import { formatDuration, plural } from "../../base/units.ts";
import { cellsSql, extentSql, heatConditions, HEAT_COLUMNS, isUnfiltered, rowDurations, type HeatCell, type HeatGrid } from "../../model/heat_query.ts";
import type { SearchQuery } from "../../model/search_query.ts";
import { readCanvasTheme } from "../../render/canvas_theme.ts";
import { cellAt, drawHeat, heatFrame } from "../../render/draw_heatmap.ts";
import { drawScatterAxes, drawScatterOverlay, type ScatterDrag } from "../../render/scatter.ts";
import { themeVersion, timeZone } from "../../state/preferences.ts";
import { Remote } from "../../state/remote.ts";
import { query } from "../../state/search_state.ts";
import { sizedRenderer } from "../../ui/canvas_renderers.ts";
import { ErrorNotice, Notice } from "../../ui/notice.tsx";
import { narrow } from "./narrow.ts";

const DRAG_PIXELS_MIN = 6;

async function load(asked: SearchQuery, signal: AbortSignal): Promise<HeatGrid> {
  const conditions = heatConditions(asked, Date.now());
  const counts = await fetchHeat({ extent: extentSql(conditions), cells: (start, step) => cellsSql(conditions, start, step), columns: HEAT_COLUMNS }, signal);
  const timeStart = Number(counts.startNs) / 1e6;
  return {
    timeStart, timeEnd: timeStart + (counts.stepNs * HEAT_COLUMNS) / 1e6, spans: counts.spans, rootsOnly: isUnfiltered(asked),
    cells: counts.rows.map(([column, row, count, errors]) => ({ column, row, count, errors })),
  };
}

export function Heatmap() {
  const [remote] = useState(() => new Remote<HeatGrid>());
  const asked = query.value;
  const conditions = heatConditions(asked, 0);
  const reload = (): void => void remote.load((signal) => load(asked, signal));
  useEffect(reload, [conditions]);
  useEffect(() => () => remote.stop(), []);
  const state = remote.state.value;
  if (state.status === "failed") return <div class="scatter-plot failed"><ErrorNotice error={state.error} retry={reload} /></div>;
  if (state.value === null) return <div class="scatter-plot" role="status" aria-label="Counting matches" />;
  if (state.value.spans === 0) return <div class="scatter-plot"><Notice icon="search" title="No span matches" /></div>;
  return <Picture grid={state.value} />;
}

function Picture({ grid }: { readonly grid: HeatGrid }) {
  const box = useRef<HTMLDivElement>(null);
  const base = useRef<HTMLCanvasElement>(null);
  const top = useRef<HTMLCanvasElement>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  const [drag, setDrag] = useState<ScatterDrag | null>(null);
  const [cell, setCell] = useState<HeatCell | undefined>(undefined);
  const frame = heatFrame(grid, size.width, size.height);
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
    const canvas = base.current;
    if (size.width === 0 || canvas === null) return;
    const draw = (): void => {
      const renderer = sizedRenderer(canvas, size.width, size.height);
      const theme = readCanvasTheme();
      renderer.clear();
      drawHeat(renderer, theme, frame, grid);
      drawScatterAxes(renderer, theme, frame, zone);
    };
    frames.draw(draw);
    return () => frames.forget(draw);
  }, [grid, size, zone, version]);
  useEffect(() => {
    const canvas = top.current;
    if (size.width === 0 || canvas === null) return;
    const draw = (): void => drawScatterOverlay(sizedRenderer(canvas, size.width, size.height), readCanvasTheme(), frame, undefined, drag);
    frames.draw(draw);
    return () => frames.forget(draw);
  }, [grid, size, drag, version]);
  const at = (event: PointerEvent): { x: number; y: number } => {
    const bounds = (event.currentTarget as HTMLElement).getBoundingClientRect();
    return { x: event.clientX - bounds.left, y: event.clientY - bounds.top };
  };
  const release = (): void => {
    if (drag !== null && Math.max(Math.abs(drag.x1 - drag.x0), Math.abs(drag.y1 - drag.y0)) >= DRAG_PIXELS_MIN) narrow(frame, drag);
    setDrag(null);
  };
  const noun = grid.rootsOnly ? "root span" : "matching span";
  return (
    <div
      ref={box} class="scatter-plot" role="img" aria-label={`Durations over time of ${plural(grid.spans, noun)}; narrow by the fields of the form`}
      onPointerMove={(event) => {
        const { x, y } = at(event);
        if (drag !== null) setDrag({ ...drag, x1: x, y1: y });
        setCell(cellAt(grid, frame, x, y));
      }}
      onPointerLeave={() => setCell(undefined)}
      onPointerDown={(event) => {
        if (event.button !== 0 || event.pointerType === "touch") return;
        event.currentTarget.setPointerCapture(event.pointerId);
        const { x, y } = at(event);
        setDrag({ x0: x, y0: y, x1: x, y1: y });
      }}
      onPointerUp={release} onPointerCancel={() => setDrag(null)}
    >
      <canvas ref={base} />
      <canvas ref={top} />
      <p class="heat-detail">{cell === undefined ? plural(grid.spans, noun) : <CellText grid={grid} cell={cell} />}</p>
    </div>
  );
}

function CellText({ grid, cell }: { readonly grid: HeatGrid; readonly cell: HeatCell }) {
  const step = (grid.timeEnd - grid.timeStart) / HEAT_COLUMNS;
  const { from, to } = rowDurations(cell.row);
  const time = formatDateTime(`${Math.round(grid.timeStart + cell.column * step)}000000`, timeZone.value);
  return <>{plural(cell.count, "span")}{cell.errors > 0 ? `, ${plural(cell.errors, "error")}` : ""} of {formatDuration(from)} to {formatDuration(to)}, {formatDuration(step * 1e6)} from {time}</>;
}
