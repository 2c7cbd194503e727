// The Renderer over Canvas2D. Sizes are CSS pixels; the device's ratio is handled here alone.
import { present } from "../base/assert.ts";
import type { Align, RectList, Renderer, Symbol } from "./renderer.ts";

const FONT = '11px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';

export class Canvas2dRenderer implements Renderer {
  width = 0;
  height = 0;
  readonly #canvas: HTMLCanvasElement;
  readonly #ctx: CanvasRenderingContext2D;

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas;
    this.#ctx = present(canvas.getContext("2d"), "2d context");
  }

  /** Follows the element's size; cheap when nothing changed. */
  resize(width: number, height: number, ratio: number): void {
    const deviceWidth = Math.max(1, Math.round(width * ratio));
    const deviceHeight = Math.max(1, Math.round(height * ratio));
    this.width = width;
    this.height = height;
    if (this.#canvas.width !== deviceWidth) this.#canvas.width = deviceWidth;
    if (this.#canvas.height !== deviceHeight) this.#canvas.height = deviceHeight;
    this.#ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.#ctx.font = FONT;
    this.#ctx.textBaseline = "middle";
  }

  clear(): void {
    this.#ctx.clearRect(0, 0, this.width, this.height);
  }

  clipped(x: number, y: number, width: number, height: number, draw: () => void): void {
    this.#ctx.save();
    this.#ctx.beginPath();
    this.#ctx.rect(x, y, width, height);
    this.#ctx.clip();
    draw();
    this.#ctx.restore();
  }

  rects(list: RectList, palette: readonly string[], alpha: number, radius: number): void {
    const ctx = this.#ctx;
    ctx.globalAlpha = alpha;
    let last = -1;
    for (let i = 0; i < list.count; i++) {
      const x = list.box[i * 4] ?? 0;
      const y = list.box[i * 4 + 1] ?? 0;
      const width = list.box[i * 4 + 2] ?? 0;
      const height = list.box[i * 4 + 3] ?? 0;
      const fill = list.fill[i] ?? 0;
      if (fill !== last) ctx.fillStyle = palette[fill] ?? "";
      last = fill;
      if (radius === 0 || width < radius * 2) {
        ctx.fillRect(x, y, width, height);
        continue;
      }
      ctx.beginPath();
      ctx.roundRect(x, y, width, height, radius);
      ctx.fill();
    }
    ctx.globalAlpha = 1;
  }

  frame(x: number, y: number, width: number, height: number, color: string, lineWidth: number, dash: readonly number[]): void {
    const ctx = this.#ctx;
    ctx.strokeStyle = color;
    ctx.lineWidth = lineWidth;
    ctx.setLineDash([...dash]);
    ctx.beginPath();
    ctx.roundRect(x, y, width, height, 3);
    ctx.stroke();
  }

  line(x0: number, y0: number, x1: number, y1: number, color: string, dash: readonly number[]): void {
    const ctx = this.#ctx;
    ctx.strokeStyle = color;
    ctx.lineWidth = 1;
    ctx.setLineDash([...dash]);
    ctx.beginPath();
    ctx.moveTo(x0, y0);
    ctx.lineTo(x1, y1);
    ctx.stroke();
  }

  text(x: number, y: number, text: string, color: string, align: Align): void {
    this.#ctx.fillStyle = color;
    this.#ctx.textAlign = align;
    this.#ctx.fillText(text, x, y);
  }

  symbol(kind: Symbol, x: number, y: number, size: number, fill: string, contrast: string): void {
    const ctx = this.#ctx;
    const half = size / 2;
    ctx.setLineDash([]);
    ctx.beginPath();
    if (kind === "dot" || kind === "ring") ctx.arc(x, y, half, 0, 2 * Math.PI);
    else for (const [dx, dy] of OUTLINES[kind]) ctx.lineTo(x + dx * half, y + dy * half);
    ctx.closePath();
    if (kind === "ring") {
      ctx.strokeStyle = fill;
      ctx.lineWidth = 2;
      ctx.stroke();
      return;
    }
    ctx.fillStyle = fill;
    ctx.fill();
    ctx.strokeStyle = contrast;
    ctx.lineWidth = 1;
    ctx.stroke();
    if (kind !== "error") return;
    ctx.fillStyle = contrast;
    ctx.fillRect(x - 0.9, y - half * 0.52, 1.8, half * 0.62);
    ctx.fillRect(x - 0.9, y + half * 0.24, 1.8, 1.8);
  }
}

const DIAMOND: readonly (readonly [number, number])[] = [[0, -1], [1, 0], [0, 1], [-1, 0]];
const OUTLINES = {
  diamond: DIAMOND,
  error: DIAMOND,
  left: [[0.6, -1], [-0.6, 0], [0.6, 1]],
  right: [[-0.6, -1], [0.6, 0], [-0.6, 1]],
  triangle: [[-0.8, -1], [0.8, -1], [0, 0.6]],
} as const;
