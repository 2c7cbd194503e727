// The whole trace in a strip: every span falls into a cell of a small grid, so drawing it costs the size
// of the strip and not the number of spans. The grid is computed once per trace and size.
import { STATUS_ERROR, type TraceColumns } from "../api/trace_columns.ts";
import { fullWindow, isFullWindow, type TimeWindow } from "../base/time_window.ts";
import type { CanvasTheme } from "./canvas_theme.ts";
import { RectList, type Renderer } from "./renderer.ts";

export interface MinimapGrid {
  readonly columns: number;
  readonly lanes: number;
  /** Place in the palette + 1 per cell, 0 = empty. */
  readonly cells: Uint8Array;
  /** 1 for columns with an error. */
  readonly errors: Uint8Array;
}

const ERROR_LANE = 5;

export function minimapGrid(trace: TraceColumns, colors: Uint8Array, columns: number, lanes: number): MinimapGrid {
  const cells = new Uint8Array(columns * lanes);
  const errors = new Uint8Array(columns);
  const perNanosecond = columns / Math.max(1, trace.extent);
  // Few rows get one lane each, at most 4 cells high; many rows share lanes and later rows stay on top.
  const lanesUsed = Math.min(lanes, Math.max(1, trace.rowCount));
  for (let row = 0; row < trace.rowCount; row++) {
    const start = trace.start[row] ?? Number.NaN;
    if (Number.isNaN(start)) continue;
    const first = Math.min(columns - 1, Math.max(0, Math.floor(start * perNanosecond)));
    const end = start + Math.max(0, trace.duration[row] ?? 0);
    const last = Math.min(columns - 1, Math.max(first, Math.ceil(end * perNanosecond) - 1));
    const lane = Math.floor((row * lanesUsed) / trace.rowCount);
    cells.fill((colors[row] ?? 0) + 1, lane * columns + first, lane * columns + last + 1);
    if (trace.status[row] === STATUS_ERROR) errors[first] = 1;
  }
  return { columns, lanes: lanesUsed, cells, errors };
}

const list = new RectList();

/** Runs of equal cells become one rectangle each. */
export function drawMinimap(renderer: Renderer, theme: CanvasTheme, palette: readonly string[], grid: MinimapGrid): void {
  renderer.clear();
  list.clear();
  const cellWidth = renderer.width / grid.columns;
  const laneHeight = Math.min(4, (renderer.height - ERROR_LANE * 2) / grid.lanes);
  for (let lane = 0; lane < grid.lanes; lane++) {
    for (let column = 0; column < grid.columns; ) {
      const cell = grid.cells[lane * grid.columns + column] ?? 0;
      let end = column + 1;
      while (end < grid.columns && grid.cells[lane * grid.columns + end] === cell) end++;
      if (cell > 0) {
        list.push(column * cellWidth, ERROR_LANE * 2 + lane * laneHeight, Math.max(1, (end - column) * cellWidth), Math.max(1, laneHeight - (laneHeight > 2 ? 1 : 0)), cell - 1);
      }
      column = end;
    }
  }
  renderer.rects(list, palette, 0.85, 0);
  let lastX = -10;
  for (let column = 0; column < grid.columns; column++) {
    const x = column * cellWidth;
    if (grid.errors[column] !== 1 || x - lastX < 6) continue;
    renderer.symbol("diamond", Math.max(5, x), ERROR_LANE, 8, theme.error, theme.surface);
    lastX = x;
  }
}

/** What is outside the window is shaded; the window has an edge and two handles. */
export function drawBrush(renderer: Renderer, theme: CanvasTheme, window: TimeWindow, extent: number): void {
  renderer.clear();
  if (isFullWindow(window, extent)) return;
  const { width, height } = renderer;
  const perNanosecond = width / fullWindow(extent).end;
  const left = window.start * perNanosecond;
  const right = Math.max(left + 2, window.end * perNanosecond);
  list.clear();
  list.push(0, 0, left, height, 0);
  list.push(right, 0, width - right, height, 0);
  renderer.rects(list, [theme.shade], 1, 0);
  list.clear();
  list.push(left - 1, 0, 2, height, 0);
  list.push(right - 1, 0, 2, height, 0);
  list.push(left - 3, height / 2 - 9, 6, 18, 0);
  list.push(right - 3, height / 2 - 9, 6, 18, 0);
  renderer.rects(list, [theme.accent], 1, 2);
}
