// One renderer per canvas element, sized to it before each drawing.
import { Canvas2dRenderer } from "../render/canvas2d_renderer.ts";

const renderers = new WeakMap<HTMLCanvasElement, Canvas2dRenderer>();

export function sizedRenderer(canvas: HTMLCanvasElement, width: number, height: number): Canvas2dRenderer {
  let renderer = renderers.get(canvas);
  if (renderer === undefined) {
    renderer = new Canvas2dRenderer(canvas);
    renderers.set(canvas, renderer);
  }
  renderer.resize(width, height, window.devicePixelRatio);
  return renderer;
}
