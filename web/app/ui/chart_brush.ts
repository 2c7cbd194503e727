// Choosing a stretch of a chart, in its pixels: by dragging, or with the arrow keys and Shift, then Enter.
import { useState } from "preact/hooks";

/** A shorter way is a click. */
const DRAG_PIXELS_MIN = 5;

interface Wish {
  /** Where arrow keys stop, from left to right. */
  readonly stops: readonly number[];
  readonly left: number;
  readonly right: number;
  /** Called with the ends of what was chosen; without it nothing can be. */
  readonly choose: ((from: number, to: number) => void) | undefined;
}

export interface ChartBrush {
  /** Where the pointer or the keyboard is; null = nowhere. */
  readonly at: number | null;
  /** What is being chosen, from left to right. */
  readonly chosen: readonly [number, number] | null;
  readonly handlers: {
    readonly onPointerDown: (event: PointerEvent) => void;
    readonly onPointerMove: (event: PointerEvent) => void;
    readonly onPointerUp: () => void;
    readonly onPointerCancel: () => void;
    readonly onPointerLeave: () => void;
    readonly onKeyDown: (event: KeyboardEvent) => void;
    readonly onBlur: () => void;
  };
}

export function useChartBrush({ stops, left, right, choose }: Wish): ChartBrush {
  const [at, setAt] = useState<number | null>(null);
  const [anchor, setAnchor] = useState<number | null>(null);
  const chosen = at === null || anchor === null ? null : ([Math.min(at, anchor), Math.max(at, anchor)] as const);
  const xOf = (event: PointerEvent): number => Math.min(right, Math.max(left, event.clientX - (event.currentTarget as Element).getBoundingClientRect().left));
  const leave = (): void => {
    setAt(null);
    setAnchor(null);
  };
  const finish = (): void => {
    if (chosen !== null && chosen[1] - chosen[0] >= DRAG_PIXELS_MIN) choose?.(...chosen);
    setAnchor(null);
  };
  const next = (key: string): number | undefined => {
    const now = at ?? (key === "ArrowRight" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY);
    if (key === "ArrowRight") return stops.find((stop) => stop > now + 0.5) ?? stops.at(-1);
    if (key === "ArrowLeft") return stops.findLast((stop) => stop < now - 0.5) ?? stops[0];
    return key === "Home" ? stops[0] : key === "End" ? stops.at(-1) : undefined;
  };
  return {
    at, chosen,
    handlers: {
      onPointerDown: (event) => {
        if (choose === undefined || event.button !== 0 || (event.target as Element).closest(".link") !== null) return;
        (event.currentTarget as Element).setPointerCapture(event.pointerId);
        setAnchor(xOf(event));
        setAt(xOf(event));
      },
      onPointerMove: (event) => setAt(xOf(event)),
      onPointerUp: finish,
      onPointerCancel: leave,
      onPointerLeave: () => {
        if (anchor === null) setAt(null);
      },
      onKeyDown: (event) => {
        const to = event.target === event.currentTarget ? next(event.key) : undefined;
        if (to !== undefined) {
          setAnchor(event.shiftKey ? (anchor ?? at ?? to) : null);
          setAt(to);
        } else if (event.key === "Enter" && chosen !== null) finish();
        else if (event.key === "Escape" && chosen !== null) setAnchor(null);
        else return;
        event.preventDefault();
      },
      onBlur: leave,
    },
  };
}
