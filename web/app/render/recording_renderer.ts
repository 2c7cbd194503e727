// A Renderer for tests: drawing becomes a list of lines of text to compare.
import type { Align, RectList, Renderer, Symbol } from "./renderer.ts";

export class RecordingRenderer implements Renderer {
  readonly calls: string[] = [];
  readonly width: number;
  readonly height: number;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
  }

  clear(): void {
    this.calls.push("clear");
  }

  clipped(_x: number, _y: number, _width: number, _height: number, draw: () => void): void {
    draw();
  }

  rects(list: RectList, palette: readonly string[], alpha: number, _radius: number): void {
    for (let i = 0; i < list.count; i++) {
      const box = [...list.box.subarray(i * 4, i * 4 + 4)].map((one) => Math.round(one * 100) / 100);
      this.calls.push(`rect ${box.join(" ")} ${palette[list.fill[i] ?? 0] ?? "?"}${alpha === 1 ? "" : ` alpha ${alpha}`}`);
    }
  }

  frame(x: number, y: number, width: number, height: number, color: string): void {
    this.calls.push(`frame ${[x, y, width, height].map(Math.round).join(" ")} ${color}`);
  }

  line(x0: number, y0: number, x1: number, y1: number, color: string): void {
    this.calls.push(`line ${[x0, y0, x1, y1].join(" ")} ${color}`);
  }

  text(x: number, y: number, text: string, color: string, align: Align): void {
    this.calls.push(`text ${Math.round(x)} ${Math.round(y)} ${text} ${color} ${align}`);
  }

  symbol(kind: Symbol, x: number, y: number): void {
    this.calls.push(`symbol ${kind} ${Math.round(x)} ${Math.round(y)}`);
  }
}
