// The flame graph: a row per depth, frame 0 on top, a frame as wide as its share of the time in focus.
// Of the frames narrower than a pixel only one per pixel is drawn.
import { formatDuration } from "../base/units.ts";
import type { Flame } from "../model/flame.ts";
import type { CanvasTheme } from "./canvas_theme.ts";
import { RectList, type Renderer } from "./renderer.ts";

export const FLAME_ROW = 22;

export interface FlameScene {
  readonly flame: Flame;
  /** The frame that is as wide as the picture. */
  readonly focus: number;
  readonly labels: (frame: number) => string;
  /** Place in the palette per frame. */
  readonly slots: Uint8Array;
  readonly palette: readonly string[];
  /** 1 for frames that match the search, null when nothing is searched. */
  readonly matches: Uint8Array | null;
  readonly scrollTop: number;
}

/** Pale enough for text on it to be read; the strong edge below tells the colour. */
const PALE = 0.36;
const DIMMED = 0.12;
const EDGE = 2;
const LABEL_WIDTH_MIN = 34;
const CHAR_PIXELS = 6.2;
const bright = new RectList();
const dimmed = new RectList();
const slivers = new RectList();
const edges = new RectList();

interface View {
  readonly from: number;
  readonly perUnit: number;
}

function viewOf(flame: Flame, focus: number, width: number): View {
  return { from: flame.start[focus] ?? 0, perUnit: width / Math.max(1e-9, flame.total[focus] ?? 0) };
}

/** The frame's left edge and width in pixels; frames above the focus are as wide as the picture. */
function flameBox(scene: FlameScene, width: number, frame: number): { readonly x: number; readonly width: number } {
  const { from, perUnit } = viewOf(scene.flame, scene.focus, width);
  const x = ((scene.flame.start[frame] ?? 0) - from) * perUnit;
  const right = x + (scene.flame.total[frame] ?? 0) * perUnit;
  return { x: Math.max(0, x), width: Math.min(width, right) - Math.max(0, x) };
}

/** The place, in units of time, and the depth under a point. */
export function flamePlace(scene: FlameScene, width: number, x: number, y: number): { readonly depth: number; readonly place: number } {
  const { from, perUnit } = viewOf(scene.flame, scene.focus, width);
  return { depth: Math.floor((y + scene.scrollTop) / FLAME_ROW), place: from + x / perUnit };
}

export function drawFlame(renderer: Renderer, theme: CanvasTheme, scene: FlameScene): void {
  renderer.clear();
  for (const list of [bright, dimmed, slivers, edges]) list.clear();
  const { flame, matches, scrollTop } = scene;
  const { from, perUnit } = viewOf(flame, scene.focus, renderer.width);
  const labelled: number[] = [];
  const first = Math.max(0, Math.floor(scrollTop / FLAME_ROW));
  const last = Math.min(flame.levels.length, Math.ceil((scrollTop + renderer.height) / FLAME_ROW));
  for (let depth = first; depth < last; depth++) {
    const y = depth * FLAME_ROW - scrollTop;
    let sliver = -1;
    for (const frame of flame.levels[depth] ?? []) {
      const left = ((flame.start[frame] ?? 0) - from) * perUnit;
      const right = left + (flame.total[frame] ?? 0) * perUnit;
      if (right <= 0 || left >= renderer.width) continue;
      const matching = matches === null || matches[frame] === 1;
      const slot = scene.slots[frame] ?? 0;
      if (right - left < 1) {
        // One line per pixel is all that can be seen of these, unless the search looks for them.
        const sought = matches !== null && matching;
        if (Math.floor(left) === sliver && !sought) continue;
        sliver = Math.floor(left);
        (sought ? edges : slivers).push(left, y + 1, 1, FLAME_ROW - 2, slot);
        continue;
      }
      const x = Math.max(0, left);
      const width = Math.max(0.5, Math.min(renderer.width, right) - x - 1);
      (matching ? bright : dimmed).push(x, y + 1, width, FLAME_ROW - 2, slot);
      if (matching) edges.push(x, y + FLAME_ROW - 1 - EDGE, width, EDGE, slot);
      if (right - x >= LABEL_WIDTH_MIN) labelled.push(frame);
    }
  }
  renderer.rects(slivers, scene.palette, PALE, 0);
  renderer.rects(dimmed, scene.palette, DIMMED, 0);
  renderer.rects(bright, scene.palette, PALE, 0);
  renderer.rects(edges, scene.palette, 1, 0);
  for (const frame of labelled) drawLabel(renderer, theme, scene, frame);
}

function drawLabel(renderer: Renderer, theme: CanvasTheme, scene: FlameScene, frame: number): void {
  const { flame } = scene;
  const { x, width } = flameBox(scene, renderer.width, frame);
  const y = (flame.depth[frame] ?? 0) * FLAME_ROW - scene.scrollTop;
  const chars = Math.floor((width - 10) / CHAR_PIXELS);
  const label = scene.labels(frame);
  const full = `${label}  ${formatDuration(flame.total[frame] ?? 0)}`;
  const text = full.length <= chars ? full : label.length <= chars ? label : `${label.slice(0, Math.max(1, chars - 1))}…`;
  const quiet = scene.matches !== null && scene.matches[frame] !== 1;
  renderer.clipped(x, y, width - 2, FLAME_ROW, () => renderer.text(x + 5, y + FLAME_ROW / 2, text, quiet ? theme.muted : theme.ink, "left"));
  if ((flame.errors[frame] ?? 0) > 0 && width > 60) renderer.symbol("error", x + width - 10, y + FLAME_ROW / 2, 13, theme.error, theme.onError);
}

export function drawFlameMark(renderer: Renderer, theme: CanvasTheme, scene: FlameScene, chosen: number, hovered: number): void {
  renderer.clear();
  for (const [frame, color] of [[hovered, theme.ink], [chosen, theme.accent]] as const) {
    if (frame < 0) continue;
    const { x, width } = flameBox(scene, renderer.width, frame);
    if (width <= 0) continue;
    renderer.frame(x + 1, (scene.flame.depth[frame] ?? 0) * FLAME_ROW - scene.scrollTop + 1.5, Math.max(2, width - 3), FLAME_ROW - 3, color, 2, []);
  }
}
