// Pointer and wheel over the timeline. Wheel scrolls; with Ctrl (or a pinch on a trackpad) it zooms at the
// pointer; sideways or with Shift it pans. Dragging bars pans, dragging the ruler chooses a time range.
import { frames } from "../../base/frame_scheduler.ts";
import { positionOfY, RULER_HEIGHT } from "../../render/timeline_frame.ts";
import type { TimelineView } from "./timeline_view.ts";

const DRAG_PIXELS_MIN = 4;
/** One notch of a mouse wheel is 100-120 pixels: about a fifth closer. */
const ZOOM_PER_PIXEL = 0.002;
/** Firefox counts wheel notches in lines. */
const LINE_PIXELS = 32;

interface Press {
  readonly x: number;
  readonly y: number;
  readonly onRuler: boolean;
  lastX: number;
  lastY: number;
  moved: boolean;
}

export class TimelinePointer {
  readonly #view: TimelineView;
  readonly #abort = new AbortController();
  #press: Press | null = null;

  constructor(view: TimelineView) {
    this.#view = view;
    const { scroller, bars, tree } = view;
    const options = { signal: this.#abort.signal };
    bars.addEventListener("pointerdown", (event) => this.#down(event), options);
    bars.addEventListener("pointermove", (event) => this.#move(event), options);
    bars.addEventListener("pointerup", () => this.#up(), options);
    bars.addEventListener("pointercancel", () => this.#cancel(), options);
    bars.addEventListener("pointerleave", () => this.#hover(null, null), options);
    bars.addEventListener("dblclick", (event) => this.#doubleClick(event), options);
    tree.addEventListener("pointermove", (event) => this.#hover(null, this.#yOf(event)), options);
    tree.addEventListener("pointerleave", () => this.#hover(null, null), options);
    scroller.addEventListener("wheel", (event) => this.#wheel(event), { passive: false, ...options });
  }

  stop(): void {
    this.#abort.abort();
  }

  #yOf(event: MouseEvent): number {
    return event.clientY - this.#view.bars.getBoundingClientRect().top;
  }

  #xOf(event: MouseEvent): number {
    return event.clientX - this.#view.bars.getBoundingClientRect().left;
  }

  #hover(x: number | null, y: number | null): void {
    const view = this.#view;
    view.pointerX = x;
    view.hoverPosition = y === null ? -1 : positionOfY(view.frame, y, view.state.rows.peek().length);
    view.redrawOverlay();
  }

  #down(event: PointerEvent): void {
    if (event.button !== 0) return;
    const x = this.#xOf(event);
    const y = this.#yOf(event);
    this.#press = { x, y, onRuler: y < RULER_HEIGHT, lastX: x, lastY: y, moved: false };
    this.#view.bars.setPointerCapture(event.pointerId);
  }

  #move(event: PointerEvent): void {
    const x = this.#xOf(event);
    const y = this.#yOf(event);
    const press = this.#press;
    if (press !== null) this.#drag(press, x, y, event.pointerType === "touch");
    this.#hover(x, y);
  }

  #drag(press: Press, x: number, y: number, touch: boolean): void {
    const view = this.#view;
    if (!press.moved && Math.hypot(x - press.x, y - press.y) < DRAG_PIXELS_MIN) return;
    press.moved = true;
    if (press.onRuler) {
      view.drag = { from: view.timeAt(press.x), to: view.timeAt(x) };
      return;
    }
    view.bars.classList.add("dragging");
    const share = (press.lastX - x) / view.frame.width;
    // A finger's vertical movement is the browser's to scroll.
    const down = touch ? 0 : press.lastY - y;
    press.lastX = x;
    press.lastY = y;
    view.state.pan(share);
    if (down !== 0) view.scroller.scrollTop += down;
  }

  #up(): void {
    const press = this.#press;
    this.#cancel();
    if (press === null) return;
    if (press.onRuler) return this.#view.zoomToDrag();
    const row = press.moved ? -1 : this.#view.rowAt(press.y);
    if (row >= 0) this.#view.state.select(row, { open: true });
  }

  #cancel(): void {
    this.#press = null;
    this.#view.bars.classList.remove("dragging");
  }

  #doubleClick(event: MouseEvent): void {
    if (this.#yOf(event) < RULER_HEIGHT) this.#view.state.showAll();
    else this.#view.state.zoomToSelected();
  }

  #wheel(event: WheelEvent): void {
    const scale = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_PIXELS : 1;
    const x = this.#xOf(event);
    const { state, frame } = this.#view;
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      // Trackpad pinches come in small steps and want more zoom for each.
      const strength = Math.abs(event.deltaY) < 20 ? 4 : 1;
      const factor = Math.exp(event.deltaY * scale * ZOOM_PER_PIXEL * strength);
      const anchor = Math.min(1, Math.max(0, x / frame.width));
      state.zoom(factor, anchor);
      return;
    }
    const sideways = event.shiftKey && event.deltaX === 0 ? event.deltaY : event.deltaX;
    if (sideways === 0 || Math.abs(sideways) < Math.abs(event.shiftKey ? 0 : event.deltaY)) return;
    event.preventDefault();
    frames.action(() => state.pan((sideways * scale) / frame.width));
  }
}
