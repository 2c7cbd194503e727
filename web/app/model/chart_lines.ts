// What a chart over time is drawn from.

export interface ChartPoint {
  /** Milliseconds since 1970. */
  readonly x: number;
  /** NaN where there is nothing. */
  readonly y: number;
}

export interface ChartLine {
  readonly name: string;
  readonly points: readonly ChartPoint[];
  /** Place in the palette of charts; by default that of the line. */
  readonly slot?: number;
}

/** At most so many counts: neighbours are added up, equally many each. */
export function addedUp(counts: readonly number[], most: number): readonly number[] {
  const each = Math.max(1, Math.ceil(counts.length / most));
  return Array.from({ length: Math.ceil(counts.length / each) }, (_, i) => counts.slice(i * each, (i + 1) * each).reduce((sum, one) => sum + one, 0));
}

/** Those of some places, most important first, that are no nearer than `distance` to a more important one. */
export function apart<T extends ChartPoint>(places: readonly T[], distance: number): T[] {
  const kept: T[] = [];
  for (const one of places) if (kept.every((other) => Math.hypot(one.x - other.x, one.y - other.y) >= distance)) kept.push(one);
  return kept;
}
