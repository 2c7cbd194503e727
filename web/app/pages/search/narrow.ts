// A box drawn in a plot of duration over time, as a narrower search.
import { durationOfY, millisOfX, type ScatterDrag, type ScatterFrame } from "../../render/scatter.ts";
import { ask } from "../../state/search_state.ts";

export function narrow(frame: ScatterFrame, drag: ScatterDrag): void {
  const time = (x: number): string => new Date(Math.round(millisOfX(frame, x))).toISOString();
  const duration = (y: number): string => `${Math.max(0, Math.round(durationOfY(frame, y) / 1000))}us`;
  ask({
    start: time(Math.min(drag.x0, drag.x1)), end: time(Math.max(drag.x0, drag.x1)),
    minDuration: duration(Math.max(drag.y0, drag.y1)), maxDuration: duration(Math.min(drag.y0, drag.y1)),
  });
}
