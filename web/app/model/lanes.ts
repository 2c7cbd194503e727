// Space-time: a lane per clock, spans on it in as many sub-rows as overlap. Where a lane is dense, spans that neither
// send nor receive anything are folded into the local span above them.
import type { TraceColumns } from "../api/trace_columns.ts";
import { eventTime } from "./clock_choice.ts";

/** Pixels of a sub-row, smaller where a lane has many. */
const PITCHES = [{ subRows: 10, pixels: 16 }, { subRows: 18, pixels: 10 }] as const;
const PITCH_MIN = 6;
export const LANE_PAD = 9;
/** Room for the name and the host of the clock. */
const LANE_MIN = 38;
/** A lane is never taller than this many sub-rows; what overlaps more lies in the last one. */
const SUB_ROWS_MAX = 30;
/** Spans on a lane above which local runs fold unless told otherwise. */
const DENSE_SPANS = 24;

export const LOCAL_CHOICES = [
  { id: "", label: "where dense" },
  { id: "all", label: "shown" },
  { id: "fold", label: "folded" },
] as const;
export type LocalChoice = (typeof LOCAL_CHOICES)[number]["id"];

/** Rows side by side, so that what lies in a stretch of time is found without looking at the rest. */
export interface SubRow {
  /** By start. */
  readonly rows: Int32Array;
  /** The latest end of a row and all before it: ascending also where rows of the last sub-row overlap. */
  readonly reach: Float64Array;
}

export interface Lane {
  /** Index into the clocks of the trace, or -1: spans whose clock is not known. */
  readonly clock: number;
  /** Shown rows, by start. */
  readonly rows: readonly number[];
  readonly subRows: readonly SubRow[];
  /** Height of a sub-row. */
  readonly pitch: number;
  readonly folded: number;
  readonly top: number;
  readonly height: number;
}

export interface LaneLayout {
  readonly lanes: readonly Lane[];
  /** Lane per row, -1 for rows without a time. */
  readonly laneOf: Int32Array;
  /** Sub-row per row, -1 where it is folded away. */
  readonly subRow: Int16Array;
  /** How many local spans each row stands for. */
  readonly folded: Int32Array;
  readonly height: number;
}

/** 1 for rows that send to or receive from another clock. */
export function communicating(trace: TraceColumns): Uint8Array {
  const found = new Uint8Array(trace.rowCount);
  const messages = trace.order?.messages;
  for (let i = 0; i < (messages?.count ?? 0); i++) {
    found[messages?.from[i] ?? -1] = 1;
    found[messages?.to[i] ?? -1] = 1;
  }
  return found;
}

/** `keep` are rows that are shown in any case. */
export function layoutLanes(shown: TraceColumns, talks: Uint8Array, local: LocalChoice, keep: readonly number[]): LaneLayout {
  const { rowCount, order, parent } = shown;
  const laneOf = new Int32Array(rowCount).fill(-1);
  const clocks: number[] = [];
  const members: number[][] = [];
  const laneOfClock = new Map<number, number>();
  for (let row = 0; row < rowCount; row++) {
    if (Number.isNaN(shown.start[row] ?? Number.NaN)) continue;
    const clock = order?.clock[row] ?? -1;
    let lane = laneOfClock.get(clock);
    if (lane === undefined) {
      lane = members.push([]) - 1;
      clocks.push(clock);
      laneOfClock.set(clock, lane);
    }
    laneOf[row] = lane;
    members[lane]?.push(row);
  }
  const folds = members.map((rows) => local === "fold" || (local === "" && rows.length > DENSE_SPANS));
  const folded = new Int32Array(rowCount);
  const standsFor = new Int32Array(rowCount).fill(-1);
  for (let row = 0; row < rowCount; row++) {
    const lane = laneOf[row] ?? -1;
    const above = parent[row] ?? -1;
    const isLocal = lane >= 0 && above >= 0 && laneOf[above] === lane && talks[row] !== 1;
    const hidden = isLocal && folds[lane] === true && !keep.includes(row);
    standsFor[row] = hidden ? (standsFor[above] ?? above) : row;
    if (hidden) folded[standsFor[row] ?? row] = (folded[standsFor[row] ?? row] ?? 0) + 1;
  }
  const subRow = new Int16Array(rowCount).fill(-1);
  let top = 0;
  const lanes = members.map((all, i): Lane => {
    const rows = all.filter((row) => standsFor[row] === row);
    const subRows = splitRows(shown, rows, subRow, pack(shown, rows, subRow));
    const pitch = PITCHES.find((one) => subRows.length <= one.subRows)?.pixels ?? PITCH_MIN;
    const height = Math.max(LANE_MIN, subRows.length * pitch + 2 * LANE_PAD);
    const lane: Lane = { clock: clocks[i] ?? -1, rows, subRows, pitch, folded: all.length - rows.length, top, height };
    top += height;
    return lane;
  });
  return { lanes, laneOf, subRow, folded, height: top };
}

/** First fit by start, longer ones first, so that a parent lies above its children. Gives the number of sub-rows. */
function pack(shown: TraceColumns, rows: number[], subRow: Int16Array): number {
  const end = (row: number): number => eventTime(shown, row, true);
  rows.sort((a, b) => (shown.start[a] ?? 0) - (shown.start[b] ?? 0) || end(b) - end(a) || a - b);
  const ends: number[] = [];
  for (const row of rows) {
    let at = ends.findIndex((one) => one <= (shown.start[row] ?? 0));
    if (at < 0) at = ends.length < SUB_ROWS_MAX ? ends.length : SUB_ROWS_MAX - 1;
    ends[at] = Math.max(end(row), (shown.start[row] ?? 0) + 1e-6, ends[at] ?? 0);
    subRow[row] = at;
  }
  return Math.max(1, ends.length);
}

function splitRows(shown: TraceColumns, sorted: readonly number[], subRow: Int16Array, count: number): SubRow[] {
  const members = Array.from({ length: count }, (): number[] => []);
  for (const row of sorted) members[subRow[row] ?? 0]?.push(row);
  return members.map((rows) => {
    const reach = new Float64Array(rows.length);
    let latest = Number.NEGATIVE_INFINITY;
    rows.forEach((row, at) => {
      latest = Math.max(latest, eventTime(shown, row, true));
      reach[at] = latest;
    });
    return { rows: Int32Array.from(rows), reach };
  });
}

/** The first place, from `from` on, whose row or one before it ends at or after a time; the length when there is none. */
export function reaching(sub: SubRow, time: number, from = 0): number {
  let [low, high] = [from, sub.reach.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sub.reach[middle] ?? 0) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** One past the last place whose row starts at or before a time. */
export function startedBy(sub: SubRow, shown: TraceColumns, time: number): number {
  let [low, high] = [0, sub.rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((shown.start[sub.rows[middle] ?? 0] ?? 0) <= time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The lane at a height below the first one's top, or -1. */
export function laneAt(layout: LaneLayout, y: number): number {
  let [low, high] = [0, layout.lanes.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const lane = layout.lanes[middle];
    if (lane === undefined) return -1;
    if (y < lane.top) high = middle - 1;
    else if (y >= lane.top + lane.height) low = middle + 1;
    else return middle;
  }
  return -1;
}

/** The middle of a row's bar below the first lane's top. */
export function barMiddle(layout: LaneLayout, row: number): number {
  const lane = layout.lanes[layout.laneOf[row] ?? -1];
  return lane === undefined ? Number.NaN : lane.top + LANE_PAD + (Math.max(0, layout.subRow[row] ?? 0) + 0.5) * lane.pitch;
}

/** The next span on the lane by start, or the nearest one of a neighbouring lane. */
export function spanStep(layout: LaneLayout, shown: TraceColumns, row: number, step: "left" | "right" | "up" | "down"): number {
  const at = layout.laneOf[row] ?? -1;
  const lane = layout.lanes[at];
  if (lane === undefined) return layout.lanes[0]?.rows[0] ?? -1;
  if (step === "left" || step === "right") return lane.rows[lane.rows.indexOf(row) + (step === "left" ? -1 : 1)] ?? row;
  const other = layout.lanes[at + (step === "up" ? -1 : 1)];
  if (other === undefined) return row;
  const start = shown.start[row] ?? 0;
  const distance = (one: number): number => Math.abs((shown.start[one] ?? 0) - start);
  return other.rows.reduce((best, one) => (distance(one) < distance(best) ? one : best), other.rows[0] ?? row);
}

export interface CutReport {
  /** Rows that have begun and not ended. */
  readonly open: readonly number[];
  readonly done: number;
  readonly ahead: number;
  /** Messages sent and not yet received. */
  readonly inFlight: number;
  /** Messages received before the cut and sent after it: with any of them the cut is no state the system was ever in. */
  readonly backwards: number;
}

export function cutAt(shown: TraceColumns, time: number): CutReport {
  const open: number[] = [];
  let [done, ahead, inFlight, backwards] = [0, 0, 0, 0];
  for (let row = 0; row < shown.rowCount; row++) {
    const start = shown.start[row] ?? Number.NaN;
    if (start > time) ahead++;
    else if (eventTime(shown, row, true) > time) open.push(row);
    else if (!Number.isNaN(start)) done++;
  }
  const messages = shown.order?.messages;
  for (let i = 0; i < (messages?.count ?? 0); i++) {
    const sent = eventTime(shown, messages?.from[i] ?? -1, messages?.fromEnd[i] === 1);
    const received = eventTime(shown, messages?.to[i] ?? -1, messages?.toEnd[i] === 1);
    if (sent <= time && received > time) inFlight++;
    if (received <= time && sent > time) backwards++;
  }
  return { open, done, ahead, inFlight, backwards };
}
