// Numbers over time as lines, with what they are under the pointer below. A line stops where there is no number.
// Points that lead somewhere can be put on the chart; they are links, in reach of the keyboard. A stretch of time can be
// chosen where somebody wants to know of it.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { lineOf } from "../base/text.ts";
import { formatAxisTime, formatMoment } from "../base/time.ts";
import { tickStep } from "../base/time_window.ts";
import { formatCount, plural } from "../base/units.ts";
import { apart, type ChartLine, type ChartPoint } from "../model/chart_lines.ts";
import { navigate } from "../state/location.ts";
import { timeZone } from "../state/preferences.ts";
import { useChartBrush } from "./chart_brush.ts";
import "./line_chart.css";

const HEIGHT = 210;
const LEFT = 62;
const RIGHT = 14;
const TOP = 12;
const BOTTOM = 26;
/** Of a link, as far as a finger or a pointer finds it. */
const REACH = 12;

export interface ChartLink extends ChartPoint {
  readonly href: string;
  readonly label: string;
  /** What it leads to failed. */
  readonly isError: boolean;
}

interface Props {
  readonly title: string;
  readonly lines: readonly ChartLine[];
  readonly format: (value: number) => string;
  /** Most important first: of those that would overlap only the first is drawn. */
  readonly links?: readonly ChartLink[];
  readonly linesLeftOff?: number;
  /** Between which times, when the points do not tell. */
  readonly range?: readonly [number, number];
  readonly height?: number;
  /** Called with the times between which somebody wants to see more, in milliseconds. */
  readonly narrow?: (from: number, to: number) => void;
}

export function LineChart(props: Props) {
  const box = useRef<HTMLElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry?.contentRect.width ?? 0)));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return (
    <figure class="line-chart" ref={box} style={{ minHeight: `${(props.height ?? HEIGHT) + 44}px` }}>
      <figcaption>{lineOf(props.title, 80)}</figcaption>
      {width === 0 ? null : <Lines {...props} width={width} />}
    </figure>
  );
}

function extentOf(lines: readonly ChartLine[], links: readonly ChartPoint[], range: readonly [number, number] | undefined): { x0: number; x1: number; y0: number; y1: number } {
  let [x0, x1] = range ?? [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  let [y0, y1] = [0, 0];
  for (const points of [...lines.map((line) => line.points), links]) {
    for (const { x, y } of points) {
      x0 = Math.min(x0, x);
      x1 = Math.max(x1, x);
      if (Number.isNaN(y)) continue;
      y0 = Math.min(y0, y);
      y1 = Math.max(y1, y);
    }
  }
  return { x0, x1: x1 > x0 ? x1 : x0 + 1, y0, y1: y1 > y0 ? y1 : y0 + 1 };
}

function Lines({ title, lines, format, links = [], linesLeftOff = 0, range, height = HEIGHT, narrow, width }: Props & { readonly width: number }) {
  const { x0, x1, y0, y1 } = useMemo(() => extentOf(lines, links, range), [lines, links, range?.[0], range?.[1]]);
  const xOf = (x: number): number => LEFT + ((x - x0) / (x1 - x0)) * (width - LEFT - RIGHT);
  const timeOf = (pixel: number): number => x0 + ((pixel - LEFT) / (width - LEFT - RIGHT)) * (x1 - x0);
  const { at, chosen, handlers } = useChartBrush({
    stops: (lines[0]?.points ?? []).map((point) => xOf(point.x)), left: LEFT, right: width - RIGHT, choose: narrow && ((from, to) => narrow(timeOf(from), timeOf(to))),
  });
  const yOf = (y: number): number => height - BOTTOM - ((y - y0) / (y1 - y0)) * (height - TOP - BOTTOM);
  const places = useMemo(() => apart(links.map((link) => ({ link, x: xOf(link.x), y: yOf(link.y) })), 2 * REACH), [links, width, height, x0, x1, y0, y1]);
  const step = tickStep(y1 - y0, 4);
  const ticks = Array.from({ length: Math.floor((y1 - y0) / step) + 1 }, (_, i) => (Math.ceil(y0 / step) + i) * step).filter((tick) => tick <= y1);
  const timesCount = Math.max(2, Math.floor(width / 150));
  const times = Array.from({ length: timesCount }, (_, i) => x0 + ((x1 - x0) * i) / (timesCount - 1));
  const nearest = at === null ? [] : lines.map((line) => nearestPoint(line, timeOf(at)));
  const [first] = nearest;
  const label = `${title} over time, ${plural(lines.length, "line")}`;
  return (
    <>
      <svg
        class={`lines ${narrow === undefined ? "" : "narrows"}`} width={width} height={height} {...handlers}
        {...(narrow === undefined ? { role: links.length === 0 ? "img" : "group", "aria-label": label }
          : { role: "application", tabIndex: 0, "aria-roledescription": "chart", "aria-label": `${label}. Arrow keys read it; with Shift they choose a time, which Enter zooms to.` })}
      >
        {chosen === null ? null : <rect class="chosen" x={chosen[0]} width={chosen[1] - chosen[0]} y={TOP} height={height - TOP - BOTTOM} />}
        {ticks.map((tick) => (
          <g key={tick}>
            <line class="grid" x1={LEFT} x2={width - RIGHT} y1={yOf(tick)} y2={yOf(tick)} />
            <text x={LEFT - 8} y={yOf(tick) + 4} text-anchor="end">{format(tick)}</text>
          </g>
        ))}
        {times.map((time, i) => (
          <text key={time} x={xOf(time)} y={height - 6} text-anchor={i === 0 ? "start" : i === times.length - 1 ? "end" : "middle"}>{formatAxisTime(time, x1 - x0, timeZone.value)}</text>
        ))}
        {lines.map((line, i) => <path key={line.name} data-slot={line.slot ?? i} d={pathOf(line, xOf, yOf)} />)}
        {lines.flatMap((line, i) => lonePoints(line).map(({ x, y }) => <circle key={`${line.name} ${x}`} data-slot={line.slot ?? i} cx={xOf(x)} cy={yOf(y)} r="3" />))}
        {first === undefined ? null : <line class="pointer" x1={xOf(first.x)} x2={xOf(first.x)} y1={TOP} y2={height - BOTTOM} />}
        {nearest.map((point, i) => (point === undefined || Number.isNaN(point.y) ? null : <circle key={i} data-slot={lines[i]?.slot ?? i} cx={xOf(point.x)} cy={yOf(point.y)} r="3.5" />))}
        {places.map(({ link, x, y }) => <Link key={`${link.href} ${link.x}`} link={link} x={x} y={y} />)}
      </svg>
      <p class="legend">
        {chosen !== null ? <span>{formatMoment(timeOf(chosen[0]), timeZone.value)} to {formatMoment(timeOf(chosen[1]), timeZone.value)}</span> : first === undefined ? null : <span>{formatMoment(first.x, timeZone.value)}</span>}
        {lines.map((line, i) => (
          <span key={line.name}>
            {line.name === "" ? null : <i data-slot={line.slot ?? i} />}
            {line.name === "" ? "" : lineOf(line.name, 60)} {nearest[i] === undefined ? "" : Number.isNaN(nearest[i]?.y) ? "–" : format(nearest[i]?.y ?? 0)}
          </span>
        ))}
        {places.length === links.length ? null : <span title="They lie too close to others to be drawn; a shorter time shows them">{plural(links.length - places.length, "trace")} between these left off</span>}
        {linesLeftOff === 0 ? null : <span>{formatCount(linesLeftOff)} smaller ones left off</span>}
      </p>
    </>
  );
}

/** Told from the points of lines, and what failed from what did not, by shape. */
const DIAMOND = "M0-5.500L5.500 0 0 5.500-5.500 0z";
const CROSS = "M-5-3L-3-5 0-2 3-5 5-3 2 0 5 3 3 5 0 2-3 5-5 3-2 0z";

function Link({ link, x, y }: { readonly link: ChartLink; readonly x: number; readonly y: number }) {
  const open = (): void => navigate(link.href);
  return (
    <g
      class={link.isError ? "link failed" : "link"} role="link" tabindex={0} aria-label={link.label} transform={`translate(${x} ${y})`} onClick={open}
      onKeyDown={(event) => {
        if (event.key === "Enter") open();
      }}
    >
      <title>{link.label}</title>
      <circle class="reach" r={REACH} />
      <path d={link.isError ? CROSS : DIAMOND} />
    </g>
  );
}

function pathOf(line: ChartLine, xOf: (x: number) => number, yOf: (y: number) => number): string {
  let path = "";
  let drawing = false;
  for (const { x, y } of line.points) {
    if (!Number.isNaN(y)) path += `${drawing ? "L" : "M"}${xOf(x).toFixed(1)} ${yOf(y).toFixed(1)}`;
    drawing = !Number.isNaN(y);
  }
  return path;
}

/** Points without a neighbour, which a line does not show. */
function lonePoints({ points }: ChartLine): ChartPoint[] {
  const there = (at: number): boolean => !Number.isNaN(points[at]?.y ?? Number.NaN);
  return points.filter((_, at) => there(at) && !there(at - 1) && !there(at + 1));
}

function nearestPoint(line: ChartLine, x: number): ChartPoint | undefined {
  let best = line.points[0];
  for (const point of line.points) if (best === undefined || Math.abs(point.x - x) < Math.abs(best.x - x)) best = point;
  return best;
}
