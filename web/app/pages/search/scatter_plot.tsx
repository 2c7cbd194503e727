// Duration over start time, one mark per listed trace. Hover names it, a click opens it, dragging a box
// narrows the search to that time and duration. The list below says the same in text, for those who
// cannot see or point.
import { useState } from "preact/hooks";
import { formatDateTime } from "../../base/time.ts";
import { formatDuration, plural } from "../../base/units.ts";
import type { TraceSummary } from "../../api/trace_summary.ts";
import { drawScatter, drawScatterOverlay, durationOf, scatterFrame, traceAt } from "../../render/scatter.ts";
import { navigate } from "../../state/location.ts";
import { timeZone } from "../../state/preferences.ts";
import { hoveredTrace } from "../../state/search_state.ts";
import { Text } from "../../ui/text.tsx";
import { DurationPlot, type PlotPoint } from "./duration_plot.tsx";

export function ScatterPlot({ traces }: { readonly traces: readonly TraceSummary[] }) {
  const [tip, setTip] = useState<{ readonly trace: TraceSummary; readonly x: number; readonly y: number } | null>(null);
  const hoveredId = hoveredTrace.value;
  const under = ({ frame, x, y }: PlotPoint): TraceSummary | undefined => traces[traceAt(frame, traces, x, y)];
  const hover = (point: PlotPoint | null): void => {
    const trace = point === null ? undefined : under(point);
    hoveredTrace.value = trace?.traceId ?? null;
    setTip(point === null || trace === undefined ? null : { trace, x: point.x, y: point.y });
  };
  return (
    <DurationPlot
      data={traces} mark={hoveredId} pointing={tip !== null} label={`Duration over start time of ${plural(traces.length, "trace")}; the list below has the same traces`}
      frameOf={scatterFrame}
      draw={(renderer, theme, frame) => drawScatter(renderer, theme, frame, traces, timeZone.peek())}
      drawOverlay={(renderer, theme, frame, drag) => drawScatterOverlay(renderer, theme, frame, traces.find((one) => one.traceId === hoveredId), drag)}
      hover={hover}
      click={(point) => {
        const trace = under(point);
        if (trace !== undefined) navigate(`/trace/${trace.traceId}`);
      }}
    >
      {(size, dragging) => (
        <>
          <Legend traces={traces} />
          {tip === null || dragging ? null : <Tip {...tip} size={size} />}
        </>
      )}
    </DurationPlot>
  );
}

function Legend({ traces }: { readonly traces: readonly TraceSummary[] }) {
  return (
    <div class="plot-legend" aria-hidden="true">
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
