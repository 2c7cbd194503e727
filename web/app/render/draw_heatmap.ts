// The heatmap: a cell is darker the more spans it has (on a logarithmic scale); a mark in its corner says that
// some of them failed, so that colour is not the only sign.
import { rowDurations, type HeatCell, type HeatGrid, HEAT_COLUMNS } from "../model/heat_query.ts";
import type { CanvasTheme } from "./canvas_theme.ts";
import { RectList, type Renderer } from "./renderer.ts";
import { durationOfY, millisOfX, xOfMillis, yOfDuration, type ScatterFrame } from "./scatter.ts";

/** A frame just around the cells, in whole cells. */
export function heatFrame(grid: HeatGrid, width: number, height: number): ScatterFrame {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const { row } of grid.cells) {
    low = Math.min(low, row);
    high = Math.max(high, row);
  }
  if (low > high) return { width, height, timeStart: 0, timeEnd: 1, durationMin: 1, durationMax: 10 };
  return { width, height, timeStart: grid.timeStart, timeEnd: grid.timeEnd, durationMin: rowDurations(low).from, durationMax: rowDurations(Math.max(high, low + 3)).to };
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

function boxOf(grid: HeatGrid, frame: ScatterFrame, cell: HeatCell): Box {
  const step = (grid.timeEnd - grid.timeStart) / HEAT_COLUMNS;
  const x = xOfMillis(frame, grid.timeStart + cell.column * step);
  const { from, to } = rowDurations(cell.row);
  const y = yOfDuration(frame, to);
  return { x, y, width: xOfMillis(frame, grid.timeStart + (cell.column + 1) * step) - x, height: yOfDuration(frame, from) - y };
}

/** The cell under a point, or undefined. */
export function cellAt(grid: HeatGrid, frame: ScatterFrame, x: number, y: number): HeatCell | undefined {
  const column = Math.floor(((millisOfX(frame, x) - grid.timeStart) / (grid.timeEnd - grid.timeStart)) * HEAT_COLUMNS);
  const duration = durationOfY(frame, y);
  return grid.cells.find((cell) => cell.column === column && rowDurations(cell.row).from <= duration && duration < rowDurations(cell.row).to);
}

const list = new RectList();

export function drawHeat(renderer: Renderer, theme: CanvasTheme, frame: ScatterFrame, grid: HeatGrid): void {
  const most = Math.log(Math.max(2, ...grid.cells.map((cell) => cell.count)));
  const shades = theme.heat.length;
  list.clear();
  for (const cell of grid.cells) {
    const { x, y, width, height } = boxOf(grid, frame, cell);
    const shade = Math.min(shades - 1, Math.round((Math.log(Math.max(1, cell.count)) / most) * (shades - 1)));
    list.push(x, y, Math.max(1, width - 1), Math.max(1, height - 1), shade);
  }
  renderer.rects(list, theme.heat, 1, 1);
  for (const cell of grid.cells) {
    if (cell.errors === 0) continue;
    const { x, y, width } = boxOf(grid, frame, cell);
    renderer.symbol("diamond", x + width - 4, y + 4, 7, theme.error, theme.surface);
  }
}
