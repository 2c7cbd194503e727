// The answer as charts: lines over time, or bars. The same numbers are in the table, so these only draw.
import { useMemo, useRef, useState, useEffect } from "preact/hooks";
import type { SqlResult } from "../../api/sql.ts";
import { lineOf } from "../../base/text.ts";
import { formatAxisTime, formatDateTime } from "../../base/time.ts";
import { tickStep } from "../../base/time_window.ts";
import { formatCount, formatDuration, plural } from "../../base/units.ts";
import { chartsOf, type BarChart, type ChartLine, type LineChart } from "../../model/sql_chart.ts";
import { timeZone } from "../../state/preferences.ts";
import { Notice } from "../../ui/notice.tsx";
import "./charts.css";

const HEIGHT = 210;
const LEFT = 62;
const RIGHT = 14;
const TOP = 12;
const BOTTOM = 26;

const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 2 });
const valueOf = (title: string, value: number): string => (/_ns$/.test(title) ? formatDuration(value) : compact.format(value));

export function Charts({ result }: { readonly result: SqlResult }) {
  const charts = useMemo(() => chartsOf(result), [result]);
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    if (box.current === null) return;
    const observer = new ResizeObserver(() => setWidth(box.current?.clientWidth ?? 0));
    observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  return (
    <div class="charts" ref={box} tabIndex={0} role="group" aria-label="Charts">
      {charts.length === 0 ? (
        <Notice icon="search" title="Nothing to draw">
          <p>A chart needs a column of numbers, and a column of times or names to set them against.</p>
        </Notice>
      ) : null}
      {width === 0 ? null : charts.map((chart) => (
        <figure key={chart.title}>
          <figcaption>{lineOf(chart.title, 80)}</figcaption>
          {chart.kind === "lines" ? <Lines chart={chart} width={width - 32} /> : <Bars chart={chart} />}
        </figure>
      ))}
    </div>
  );
}

function extentOf(lines: readonly ChartLine[]): { x0: number; x1: number; y0: number; y1: number } {
  let [x0, x1, y0, y1] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0];
  for (const line of lines) {
    for (const { x, y } of line.points) {
      x0 = Math.min(x0, x);
      x1 = Math.max(x1, x);
      y0 = Math.min(y0, y);
      y1 = Math.max(y1, y);
    }
  }
  return { x0, x1: x1 > x0 ? x1 : x0 + 1, y0, y1: y1 > y0 ? y1 : y0 + 1 };
}

function Lines({ chart, width }: { readonly chart: LineChart; readonly width: number }) {
  const [at, setAt] = useState<number | null>(null);
  const { x0, x1, y0, y1 } = useMemo(() => extentOf(chart.lines), [chart]);
  const xOf = (x: number): number => LEFT + ((x - x0) / (x1 - x0)) * (width - LEFT - RIGHT);
  const yOf = (y: number): number => HEIGHT - BOTTOM - ((y - y0) / (y1 - y0)) * (HEIGHT - TOP - BOTTOM);
  const step = tickStep(y1 - y0, 4);
  const ticks = Array.from({ length: Math.floor((y1 - y0) / step) + 1 }, (_, i) => (Math.ceil(y0 / step) + i) * step).filter((tick) => tick <= y1);
  const timesCount = Math.max(2, Math.floor(width / 150));
  const times = Array.from({ length: timesCount }, (_, i) => x0 + ((x1 - x0) * i) / (timesCount - 1));
  const nearest = at === null ? [] : chart.lines.map((line) => nearestPoint(line, x0 + ((at - LEFT) / (width - LEFT - RIGHT)) * (x1 - x0)));
  const [first] = nearest;
  return (
    <>
      <svg
        class="lines" width={width} height={HEIGHT} role="img" aria-label={`${chart.title} over time, ${plural(chart.lines.length, "line")}`}
        onPointerMove={(event) => setAt(event.clientX - event.currentTarget.getBoundingClientRect().left)} onPointerLeave={() => setAt(null)}
      >
        {ticks.map((tick) => (
          <g key={tick}>
            <line class="grid" x1={LEFT} x2={width - RIGHT} y1={yOf(tick)} y2={yOf(tick)} />
            <text x={LEFT - 8} y={yOf(tick) + 4} text-anchor="end">{valueOf(chart.title, tick)}</text>
          </g>
        ))}
        {times.map((time, i) => (
          <text key={time} x={xOf(time)} y={HEIGHT - 6} text-anchor={i === 0 ? "start" : i === times.length - 1 ? "end" : "middle"}>{formatAxisTime(time, x1 - x0, timeZone.value)}</text>
        ))}
        {chart.lines.map((line, i) => (
          <path key={line.name} data-slot={i} d={line.points.map(({ x, y }, k) => `${k === 0 ? "M" : "L"}${xOf(x).toFixed(1)} ${yOf(y).toFixed(1)}`).join("")} />
        ))}
        {chart.lines.map((line, i) => (line.points.length === 1 ? <circle key={line.name} data-slot={i} cx={xOf(line.points[0]?.x ?? 0)} cy={yOf(line.points[0]?.y ?? 0)} r="4" /> : null))}
        {first === undefined ? null : <line class="pointer" x1={xOf(first.x)} x2={xOf(first.x)} y1={TOP} y2={HEIGHT - BOTTOM} />}
        {nearest.map((point, i) => (point === undefined ? null : <circle key={i} data-slot={i} cx={xOf(point.x)} cy={yOf(point.y)} r="3.5" />))}
      </svg>
      <p class="legend">
        {first === undefined ? null : <span>{formatDateTime(`${Math.round(first.x)}000000`, timeZone.value)}</span>}
        {chart.lines.map((line, i) => (
          <span key={line.name}>
            {line.name === "" ? null : <i data-slot={i} />}
            {line.name === "" ? "" : lineOf(line.name, 60)} {nearest[i] === undefined ? "" : valueOf(chart.title, nearest[i]?.y ?? 0)}
          </span>
        ))}
        {chart.linesLeftOff === 0 ? null : <span>{formatCount(chart.linesLeftOff)} smaller ones left off</span>}
      </p>
    </>
  );
}

function nearestPoint(line: ChartLine, x: number): { readonly x: number; readonly y: number } | undefined {
  let best = line.points[0];
  for (const point of line.points) if (best === undefined || Math.abs(point.x - x) < Math.abs(best.x - x)) best = point;
  return best;
}

function Bars({ chart }: { readonly chart: BarChart }) {
  const most = Math.max(...chart.bars.map((one) => Math.abs(one.value)), Number.MIN_VALUE);
  return (
    <>
      <ul class="bars">
        {chart.bars.map((bar, i) => (
          <li key={i}>
            <span class="name" title={lineOf(bar.name)}>{lineOf(bar.name, 120)}</span>
            <span class="track"><i style={{ width: `${(Math.abs(bar.value) / most) * 100}%` }} /></span>
            <span class="value" title={String(bar.value)}>{valueOf(chart.title, bar.value)}</span>
          </li>
        ))}
      </ul>
      {chart.barsLeftOff === 0 ? null : <p class="legend">{formatCount(chart.barsLeftOff)} more in the table</p>}
    </>
  );
}
