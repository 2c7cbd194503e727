// What drawing needs from a canvas, and no more: few calls over flat buffers, so that tests can record
// them and another backend can replace Canvas2D.

/** Rectangles as numbers, reused from frame to frame so that drawing leaves no garbage. */
export class RectList {
  count = 0;
  box = new Float32Array(4 * 256);
  fill = new Uint8Array(256);

  clear(): void {
    this.count = 0;
  }

  push(x: number, y: number, width: number, height: number, fill: number): void {
    if (this.count === this.fill.length) this.#grow();
    const at = this.count * 4;
    this.box[at] = x;
    this.box[at + 1] = y;
    this.box[at + 2] = width;
    this.box[at + 3] = height;
    this.fill[this.count++] = fill;
  }

  /** Draws the last rectangle up to `right`. */
  widen(right: number): void {
    const at = (this.count - 1) * 4;
    this.box[at + 2] = Math.max(this.box[at + 2] ?? 0, right - (this.box[at] ?? 0));
  }

  #grow(): void {
    const box = new Float32Array(this.box.length * 2);
    const fill = new Uint8Array(this.fill.length * 2);
    box.set(this.box);
    fill.set(this.fill);
    this.box = box;
    this.fill = fill;
  }
}

export type Symbol = "dot" | "ring" | "diamond" | "error" | "left" | "right" | "triangle";
export type Align = "left" | "center" | "right";

export interface Renderer {
  readonly width: number;
  readonly height: number;
  clear(): void;
  /** Everything drawn inside `draw` stays inside the rectangle. */
  clipped(x: number, y: number, width: number, height: number, draw: () => void): void;
  /** `palette[list.fill[i]]` is the colour of rectangle i. */
  rects(list: RectList, palette: readonly string[], alpha: number, radius: number): void;
  frame(x: number, y: number, width: number, height: number, color: string, lineWidth: number, dash: readonly number[]): void;
  line(x0: number, y0: number, x1: number, y1: number, color: string, dash: readonly number[]): void;
  text(x: number, y: number, text: string, color: string, align: Align): void;
  symbol(kind: Symbol, x: number, y: number, size: number, fill: string, contrast: string): void;
}
