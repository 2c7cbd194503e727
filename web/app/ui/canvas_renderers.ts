// What drawing by hand needs of the page: one renderer per canvas element, sized to it before each drawing, and the
// colours.
import { readCanvasTheme, type CanvasTheme } from "../render/canvas_theme.ts";
import { Canvas2dRenderer } from "../render/canvas2d_renderer.ts";
import { themeVersion } from "../state/preferences.ts";

let theme: { readonly version: number; readonly colors: CanvasTheme } | null = null;

/** The colours on screen; who asks while rendering renders anew when they change. Kept, because reading them makes the
 * browser compute all styles. */
export function canvasTheme(): CanvasTheme {
  const version = themeVersion.value;
  if (theme?.version !== version) theme = { version, colors: readCanvasTheme() };
  return theme.colors;
}

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
