// What is odd about a clock, how bad that is and what to do; the order of clocks; and their offsets thinned for drawing.
import { OFFSET_STATES, type ClockSeries } from "../api/clocks.ts";
import { formatCount, formatDuration } from "../base/units.ts";

export const ANOMALIES = {
  stepped: { severity: 3, label: "stepped", meaning: "The clock was set while the process ran: its readings before and after cannot be compared.", action: "Let the time service slew instead of step, and look at what set the clock at that moment." },
  inconsistent: { severity: 3, label: "contradictory", meaning: "Messages contradict each other: no offset of this clock explains all of them, so none is given for those windows.", action: "Look for a step, a copied clock ID (fork, snapshot) or a proxy that replays contexts." },
  far: { severity: 3, label: "far off", meaning: "The clock is so far off that raw times show effects before their causes.", action: "Check that the time service runs on this host and reaches its servers." },
  drifting: { severity: 2, label: "drifting", meaning: "The clock runs faster or slower than the reference, so its offset grows all the time.", action: "Its time service has probably lost its servers; until it is back, bounds widen quickly." },
  rejected: { severity: 2, label: "stamps refused", meaning: "It refused stamps from too far in the future: another clock is ahead of it by more than the limit.", action: "Look for the clock that is far ahead, and set that one." },
  wide: { severity: 2, label: "loosely bounded", meaning: "Its offset is only known roughly, because messages to and from it take long.", action: "Nothing is wrong with the clock; order against it is often only guessed. Stamped answers narrow it." },
  oneSided: { severity: 1, label: "one-sided", meaning: "Messages go only one way, so its offset has a bound on one side and no estimate.", action: "Add stamps to answers, or let its exporter read the collector's answers." },
  unheard: { severity: 1, label: "silent at times", meaning: "In some windows no recent message bounds it at all.", action: "Nothing, if the service was idle; else check that its spans arrive." },
  coarse: { severity: 1, label: "coarse", meaning: "The clock only shows whole milliseconds or worse, so events closer than that have no order by time.", action: "Use a finer clock source in that runtime or SDK, or add stamps: those order what the clock cannot." },
  untagged: { severity: 0, label: "no stamps", meaning: "Its spans carry no stamps, so order within it and through it rests on conventions and wall clocks.", action: "Add the Causeway propagator and span processor to this service." },
} as const;
export type AnomalyId = keyof typeof ANOMALIES;

const FAR_NS = 10_000_000;
const WIDE_NS = 5_000_000;
const COARSE_NS = 1_000_000;
/** Healthy oscillators stay within 20 ppm or so, and disciplined ones far below. */
const DRIFT_PPM = 20;

export interface Finding {
  readonly id: AnomalyId;
  readonly detail: string;
}

export interface ClockSummary {
  readonly clock: ClockSeries;
  readonly isReference: boolean;
  /** Of the last window that has one; NaN without. */
  readonly offset: number;
  readonly halfWidth: number;
  /** Share of windows by place in OFFSET_STATES. */
  readonly shares: readonly number[];
  readonly findings: readonly Finding[];
  readonly severity: number;
}

export function summarizeClock(clock: ClockSeries, reference: string | null): ClockSummary {
  const isReference = clock.id === reference;
  let [offset, halfWidth] = [Number.NaN, Number.NaN];
  const counts = OFFSET_STATES.map(() => 0);
  for (let i = 0; i < clock.state.length; i++) {
    counts[clock.state[i] ?? 0] = (counts[clock.state[i] ?? 0] ?? 0) + 1;
    if (!Number.isNaN(clock.point[i] ?? Number.NaN)) offset = clock.point[i] ?? offset;
    const half = ((clock.hi[i] ?? Number.NaN) - (clock.lo[i] ?? Number.NaN)) / 2;
    if (!Number.isNaN(half)) halfWidth = half;
  }
  const shares = counts.map((count) => count / Math.max(1, clock.state.length));
  const findings = isReference ? [] : findingsOf(clock, offset, halfWidth, shares);
  if (!clock.tagged) findings.push({ id: "untagged", detail: "" });
  return { clock, isReference, offset, halfWidth, shares, findings, severity: Math.max(0, ...findings.map((one) => ANOMALIES[one.id].severity)) };
}

function findingsOf(clock: ClockSeries, offset: number, halfWidth: number, shares: readonly number[]): Finding[] {
  const found: Finding[] = [];
  const [, oneSided = 0, none = 0, inconsistent = 0] = shares;
  if (clock.steps.length > 0) found.push({ id: "stepped", detail: `${formatCount(clock.steps.length)} ×` });
  if (inconsistent > 0) found.push({ id: "inconsistent", detail: percent(inconsistent) });
  if (Math.abs(offset) >= FAR_NS) found.push({ id: "far", detail: formatDuration(Math.abs(offset)) });
  const drift = clock.ratePpm === null ? 0 : clock.ratePpm[0] > DRIFT_PPM ? clock.ratePpm[0] : clock.ratePpm[1] < -DRIFT_PPM ? clock.ratePpm[1] : 0;
  if (drift !== 0) found.push({ id: "drifting", detail: `${Math.round(drift)} ppm` });
  if (clock.rejects > 0) found.push({ id: "rejected", detail: formatCount(clock.rejects) });
  if (halfWidth > WIDE_NS) found.push({ id: "wide", detail: `±${formatDuration(halfWidth)}` });
  if (oneSided > 0.5) found.push({ id: "oneSided", detail: percent(oneSided) });
  if (none > 0) found.push({ id: "unheard", detail: percent(none) });
  if ((clock.granularityNs ?? 0) >= COARSE_NS) found.push({ id: "coarse", detail: formatDuration(clock.granularityNs ?? 0) });
  return found;
}

const percent = (share: number): string => (share > 0 && share < 0.01 ? "< 1 %" : `${Math.round(share * 100)} %`);

export const CLOCK_SORTS = [
  { id: "worst", label: "Worst first" },
  { id: "offset", label: "Furthest off" },
  { id: "width", label: "Least known" },
  { id: "service", label: "By name" },
] as const;
export type ClockSort = (typeof CLOCK_SORTS)[number]["id"];

const nameOf = (one: ClockSummary): string => `${one.clock.service ?? "\uffff"} ${one.clock.host ?? ""} ${one.clock.id}`;
const magnitude = (value: number): number => (Number.isNaN(value) ? -1 : Math.abs(value));

function compare(sort: ClockSort, a: ClockSummary, b: ClockSummary): number {
  const named = nameOf(a) < nameOf(b) ? -1 : 1;
  if (sort === "service") return named;
  if (sort === "offset") return magnitude(b.offset) - magnitude(a.offset) || named;
  if (sort === "width") return (Number.isNaN(b.halfWidth) ? Infinity : b.halfWidth) - (Number.isNaN(a.halfWidth) ? Infinity : a.halfWidth) || named;
  return b.severity - a.severity || b.findings.length - a.findings.length || magnitude(b.offset) - magnitude(a.offset) || named;
}

export interface ClockGroup {
  /** null for clocks that nothing names. */
  readonly service: string | null;
  readonly clocks: readonly ClockSummary[];
}

/** Groups in the order of their first clock; clocks without a service come last. */
export function groupClocks(all: readonly ClockSummary[], sort: ClockSort, filter: string): ClockGroup[] {
  const words = filter.toLowerCase().split(/\s+/).filter((one) => one !== "");
  const matches = (one: ClockSummary): boolean => {
    const text = `${one.clock.service ?? ""} ${one.clock.host ?? ""} ${one.clock.instance ?? ""} ${one.clock.id} ${one.findings.map((f) => ANOMALIES[f.id].label).join(" ")}`.toLowerCase();
    return words.every((word) => text.includes(word));
  };
  const groups = new Map<string | null, ClockSummary[]>();
  for (const one of all.filter(matches).sort((a, b) => compare(sort, a, b))) {
    const group = groups.get(one.clock.service);
    if (group === undefined) groups.set(one.clock.service, [one]);
    else group.push(one);
  }
  return [...groups].map(([service, clocks]) => ({ service, clocks })).sort((a, b) => Number(a.service === null) - Number(b.service === null));
}

export interface ThinSeries {
  readonly columns: number;
  readonly lo: Float64Array;
  readonly hi: Float64Array;
  readonly point: Float64Array;
  /** Worst state in the column, as a place in OFFSET_STATES; 255 where there is none. */
  readonly state: Uint8Array;
  readonly low: number;
  readonly high: number;
}

/** At most `columns` of the band: what falls into one column is covered by it, so nothing odd is thinned away. */
export function thin(clock: ClockSeries, columns: number): ThinSeries {
  const count = clock.time.length;
  const used = Math.min(columns, count);
  const blank = (): Float64Array => new Float64Array(used).fill(Number.NaN);
  const [lo, hi, point] = [blank(), blank(), blank()];
  const state = new Uint8Array(used).fill(255);
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < count; i++) {
    const at = Math.floor((i * used) / count);
    const known = clock.state[i] ?? 2;
    // Places in OFFSET_STATES are ordered from good to bad.
    state[at] = state[at] === 255 ? known : Math.max(state[at] ?? 0, known);
    const [l, h, p] = [clock.lo[i] ?? Number.NaN, clock.hi[i] ?? Number.NaN, clock.point[i] ?? Number.NaN];
    if (!Number.isNaN(l)) lo[at] = Number.isNaN(lo[at] ?? Number.NaN) ? l : Math.min(lo[at] ?? l, l);
    if (!Number.isNaN(h)) hi[at] = Number.isNaN(hi[at] ?? Number.NaN) ? h : Math.max(hi[at] ?? h, h);
    if (!Number.isNaN(p)) point[at] = p;
    for (const one of [l, h, p]) {
      if (Number.isNaN(one)) continue;
      low = Math.min(low, one);
      high = Math.max(high, one);
    }
  }
  return { columns: used, lo, hi, point, state, low, high };
}

export interface ChartPaths {
  /** Closed areas between both bounds. */
  readonly band: string;
  readonly point: string;
  /** Where only one side is bounded. */
  readonly oneSided: string;
  /** Spans of x where the evidence contradicts itself. */
  readonly bad: readonly (readonly [number, number])[];
  readonly low: number;
  readonly high: number;
}

/** SVG paths in a box of `width` by `height`; the scale always has some height. */
export function chartPaths(series: ThinSeries, width: number, height: number): ChartPaths {
  const known = series.low <= series.high;
  const air = known ? Math.max(1, (series.high - series.low) * 0.08) : 1;
  const [low, high] = known ? [series.low - air, series.high + air] : [-1, 1];
  const x = (i: number): string => ((i / Math.max(1, series.columns - 1)) * width).toFixed(1);
  const y = (value: number): string => (height - ((value - low) / (high - low)) * height).toFixed(1);
  const bad: [number, number][] = [];
  let [band, point, oneSided] = ["", "", ""];
  let [from, open, pen] = [-1, false, -1];
  const close = (end: number): void => {
    if (from < 0) return;
    const columns = Array.from({ length: end - from }, (_, i) => from + i);
    band += `M${columns.map((i) => `${x(i)} ${y(series.hi[i] ?? 0)}`).join("L")}L${columns.reverse().map((i) => `${x(i)} ${y(series.lo[i] ?? 0)}`).join("L")}Z`;
    from = -1;
  };
  for (let i = 0; i < series.columns; i++) {
    const [l, h, p] = [series.lo[i] ?? Number.NaN, series.hi[i] ?? Number.NaN, series.point[i] ?? Number.NaN];
    if (Number.isNaN(l) || Number.isNaN(h)) close(i);
    else if (from < 0) from = i;
    if (!Number.isNaN(p)) point += `${pen === i - 1 && pen >= 0 ? "L" : "M"}${x(i)} ${y(p)}`;
    if (!Number.isNaN(p)) pen = i;
    const single = Number.isNaN(l) !== Number.isNaN(h);
    if (single) oneSided += `${open ? "L" : "M"}${x(i)} ${y(Number.isNaN(l) ? h : l)}`;
    open = single;
    if (series.state[i] === 3) bad.push([Number(x(i)), Math.max(1.5, width / Math.max(1, series.columns))]);
  }
  close(series.columns);
  return { band, point, oneSided, bad, low, high };
}
