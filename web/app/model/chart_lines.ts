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
