// A border that moves, by pointer or by the arrow keys. What moving means is up to the owner.
import { useRef } from "preact/hooks";
import "./splitter.css";

interface Props {
  readonly label: string;
  /** For assistive technology, 0 to 100. */
  readonly percent: number;
  readonly moveBy: (pixels: number) => void;
}

const KEY_PIXELS = 24;

export function Splitter({ label, percent, moveBy }: Props) {
  const lastX = useRef<number | null>(null);
  return (
    <div
      class="splitter" role="separator" aria-orientation="vertical" aria-label={label} aria-valuenow={Math.round(percent)} tabIndex={0}
      onPointerDown={(event) => {
        event.preventDefault();
        event.currentTarget.setPointerCapture(event.pointerId);
        lastX.current = event.clientX;
      }}
      onPointerMove={(event) => {
        if (lastX.current === null) return;
        moveBy(event.clientX - lastX.current);
        lastX.current = event.clientX;
      }}
      onPointerUp={() => (lastX.current = null)}
      onPointerCancel={() => (lastX.current = null)}
      onKeyDown={(event) => {
        const step = event.key === "ArrowLeft" ? -KEY_PIXELS : event.key === "ArrowRight" ? KEY_PIXELS : 0;
        if (step === 0) return;
        event.preventDefault();
        event.stopPropagation();
        moveBy(step);
      }}
    />
  );
}
