// All matches of the search by time and duration, counted by the server: a box around cells narrows the search.
import { useEffect, useState } from "preact/hooks";
import { fetchHeat } from "../../api/heat.ts";
import { formatDateTime } from "../../base/time.ts";
import { formatDuration, plural } from "../../base/units.ts";
import { cellsSql, extentSql, heatConditions, HEAT_COLUMNS, isUnfiltered, rowDurations, type HeatCell, type HeatGrid } from "../../model/heat_query.ts";
import type { SearchQuery } from "../../model/search_query.ts";
import { cellAt, drawHeat, heatFrame } from "../../render/draw_heatmap.ts";
import { drawScatterAxes, drawScatterOverlay } from "../../render/scatter.ts";
import { timeZone } from "../../state/preferences.ts";
import { Remote } from "../../state/remote.ts";
import { query } from "../../state/search_state.ts";
import { ErrorNotice, Notice } from "../../ui/notice.tsx";
import { DurationPlot } from "./duration_plot.tsx";

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
  if (state.status === "failed") return <div class="duration-plot failed"><ErrorNotice error={state.error} retry={reload} /></div>;
  if (state.value === null) return <div class="duration-plot" role="status" aria-label="Counting matches" />;
  if (state.value.spans === 0) return <div class="duration-plot"><Notice icon="search" title="No span matches" /></div>;
  return <Picture grid={state.value} />;
}

function Picture({ grid }: { readonly grid: HeatGrid }) {
  const [cell, setCell] = useState<HeatCell | undefined>(undefined);
  const noun = grid.rootsOnly ? "root span" : "matching span";
  return (
    <DurationPlot
      data={grid} mark={null} pointing={false} label={`Durations over time of ${plural(grid.spans, noun)}; narrow by the fields of the form`}
      frameOf={heatFrame}
      draw={(renderer, theme, frame) => {
        renderer.clear();
        drawHeat(renderer, theme, frame, grid);
        drawScatterAxes(renderer, theme, frame, timeZone.peek());
      }}
      drawOverlay={(renderer, theme, frame, drag) => drawScatterOverlay(renderer, theme, frame, undefined, drag)}
      hover={(point) => setCell(point === null ? undefined : cellAt(grid, point.frame, point.x, point.y))}
    >
      {() => <p class="heat-detail">{cell === undefined ? plural(grid.spans, noun) : <CellText grid={grid} cell={cell} />}</p>}
    </DurationPlot>
  );
}

function CellText({ grid, cell }: { readonly grid: HeatGrid; readonly cell: HeatCell }) {
  const step = (grid.timeEnd - grid.timeStart) / HEAT_COLUMNS;
  const { from, to } = rowDurations(cell.row);
  const time = formatDateTime(`${Math.round(grid.timeStart + cell.column * step)}000000`, timeZone.value);
  return <>{plural(cell.count, "span")}{cell.errors > 0 ? `, ${plural(cell.errors, "error")}` : ""} of {formatDuration(from)} to {formatDuration(to)}, {formatDuration(step * 1e6)} from {time}</>;
}
