// The critical path added up, and cut into as many pieces as a bar can show.
import type { CriticalPath, PathCertainty, PathSegment } from "../api/critical_path.ts";

export const PATH_GROUPS = [
  { id: "operation", label: "Operation" },
  { id: "service", label: "Service" },
  { id: "span", label: "Span" },
  { id: "segment", label: "Segment, in order" },
] as const;
export type PathGroup = (typeof PATH_GROUPS)[number]["id"];

/** What the tab adds up by, as a word of the address. */
export function parsePathGroup(text: string): PathGroup {
  return PATH_GROUPS.find((one) => one.id === text)?.id ?? "operation";
}

export interface PathRow {
  readonly label: string;
  readonly service: string;
  readonly duration: number;
  /** Of the whole path, 0 to 1. */
  readonly share: number;
  readonly segments: number;
  readonly spans: number;
  /** The least sure of its segments. */
  readonly certainty: PathCertainty;
  /** First start on the path. */
  readonly start: number;
  /** The span that owns most of it. */
  readonly spanId: string;
}

const SURENESS: readonly PathCertainty[] = ["guessed", "bounded", "measured"];
const lessSure = (a: PathCertainty, b: PathCertainty): PathCertainty => (SURENESS.indexOf(a) < SURENESS.indexOf(b) ? a : b);

function keyOf(segment: PathSegment, at: number, group: PathGroup): string {
  if (group === "segment") return String(at);
  if (group === "span") return segment.spanId;
  return group === "service" ? segment.service : `${segment.service}\n${segment.name}`;
}

/** Longest first; segments in their own order. */
export function pathRows(path: CriticalPath, group: PathGroup): readonly PathRow[] {
  const groups = new Map<string, { readonly segments: PathSegment[]; readonly bySpan: Map<string, number> }>();
  path.segments.forEach((segment, at) => {
    const key = keyOf(segment, at, group);
    const one = groups.get(key) ?? { segments: [], bySpan: new Map<string, number>() };
    one.segments.push(segment);
    one.bySpan.set(segment.spanId, (one.bySpan.get(segment.spanId) ?? 0) + segment.duration);
    groups.set(key, one);
  });
  const whole = Math.max(1, path.duration);
  const rows = [...groups.values()].flatMap(({ segments, bySpan }): PathRow[] => {
    const [first] = segments;
    if (first === undefined) return [];
    const duration = segments.reduce((sum, one) => sum + one.duration, 0);
    const [spanId = first.spanId] = [...bySpan].reduce((most, one) => (one[1] > most[1] ? one : most));
    return [{
      label: group === "service" ? first.service : first.name, service: first.service, duration, share: duration / whole, segments: segments.length, spans: bySpan.size,
      certainty: segments.reduce<PathCertainty>((least, one) => lessSure(least, one.certainty), "measured"), start: first.start, spanId,
    }];
  });
  return group === "segment" ? rows : rows.sort((a, b) => b.duration - a.duration);
}

export interface PathPiece {
  /** Places on the bar, 0 to 1. */
  readonly start: number;
  readonly width: number;
  /** The longest of its segments, which the piece looks like. */
  readonly segment: PathSegment;
  readonly segments: number;
}

/** Narrower segments are one piece with narrow neighbours: a bar has only so many pixels. */
export const PIECE_SHARE_MIN = 1 / 400;

export function pathPieces(path: CriticalPath): readonly PathPiece[] {
  const whole = Math.max(1, path.duration);
  const pieces: PathPiece[] = [];
  for (const segment of path.segments) {
    const share = segment.duration / whole;
    const last = pieces.at(-1);
    if (last === undefined || share >= PIECE_SHARE_MIN || last.width >= PIECE_SHARE_MIN) {
      pieces.push({ start: segment.start / whole, width: share, segment, segments: 1 });
      continue;
    }
    const longer = segment.duration > last.segment.duration ? segment : last.segment;
    pieces[pieces.length - 1] = { start: last.start, width: last.width + share, segment: longer, segments: last.segments + 1 };
  }
  return pieces;
}

/** Nanoseconds of the path per certainty. */
export function sureness(path: CriticalPath): Readonly<Record<PathCertainty, number>> {
  const sums = { measured: 0, bounded: 0, guessed: 0 };
  for (const { certainty, duration } of path.segments) sums[certainty] += duration;
  return sums;
}
