// Whiskers in the timeline, and space-time, as lists of what was drawn.
import { describe, expect, test } from "vitest";
import { alignedColumns } from "../model/clock_choice.ts";
import { barMiddle, communicating, layoutLanes } from "../model/lanes.ts";
import { EARLIER, LATER, SELF, UNDECIDED } from "../model/relation_words.ts";
import { sampleTrace } from "../model/sample_trace.ts";
import type { CanvasTheme } from "./canvas_theme.ts";
import { drawSpace, drawSpaceOverlay, laneRange, spaceRowAt, type SpaceScene } from "./draw_space.ts";
import { drawSpans } from "./draw_spans.ts";
import { RecordingRenderer } from "./recording_renderer.ts";
import { RULER_HEIGHT, type TimelineFrame } from "./timeline_frame.ts";

const theme: CanvasTheme = {
  services: [...Array.from({ length: 12 }, (_, i) => `s${i}`), "none"], heat: [], ink: "ink", muted: "muted", line: "line", lineStrong: "strong", surface: "surface",
  accent: "accent", error: "error", onError: "onError", warning: "warning", shade: "shade",
};
const clock = (id: string) => ({ clock: id, service_name: id, service_instance_id: null, host_name: null, is_tagged: true });
const trace = sampleTrace(`
  web GET 0+1000
    cart serve 250+250
    mail send 500+100
`, {
  clocks: [clock("a"), clock("b"), clock("c")], reference: 0, clock: [0, 1, 2], aligned_start_ns: [0, 250, 500], aligned_duration_ns: [1000, 250, 100],
  half_width_ns: [0, 50, null], faults: [0, 0, 0],
  messages: { from: [0, 1], from_event: ["start", "end"], to: [1, 0], to_event: ["start", "end"], class: ["proven", "inferred"] },
});
const shown = alignedColumns(trace);
const layout = layoutLanes(shown, communicating(trace), "all", []);
const scene: SpaceScene = {
  shown, layout, colors: Uint8Array.of(0, 1, 2), palette: theme.services, matches: null, cone: null, selected: -1, second: -1, allArrows: true, labels: (row) => `span ${row}`,
};
const frame: TimelineFrame = { width: 400, height: 400, rowHeight: 20, scrollTop: 0, window: { start: 0, end: 1000 } };

function draw(change: Partial<SpaceScene>, frameChange: Partial<TimelineFrame> = {}): string[] {
  const renderer = new RecordingRenderer(400, 400);
  drawSpace(renderer, theme, { ...frame, ...frameChange }, { ...scene, ...change });
  return renderer.calls;
}
const lines = (calls: readonly string[], color: string): number => calls.filter((one) => one.startsWith("line") && one.endsWith(` ${color}`)).length;

test("whiskers show how far a span may be off, and dots that nothing says so", () => {
  const renderer = new RecordingRenderer(400, 128);
  const spans = { trace: shown, rows: Int32Array.of(0, 1, 2), colors: scene.colors, palette: theme.services, matches: null, foldedRun: () => 0 };
  drawSpans(renderer, theme, { ...frame, height: 128 }, { ...spans, halfWidths: trace.order?.halfWidth ?? null });
  const whiskers = renderer.calls.filter((one) => one.startsWith("line"));
  expect(whiskers).toContain("line 80 58 120 58 ink");
  expect(whiskers).toContain("line 180 58 220 58 ink");
  expect(whiskers).toContain("line 188 78 200 78 ink");
  expect(whiskers).toHaveLength(8);
});

describe("space-time", () => {
  test("has a bar per span on the lane of its clock, and arrows between lanes", () => {
    const calls = draw({});
    expect(calls.filter((one) => one.startsWith("rect")).map((one) => one.split(" ").at(-1))).toEqual(["s0", "s1", "s2"]);
    // Two messages, each a line and a head of two.
    expect(lines(calls, "muted")).toBe(6);
    expect(lines(draw({ allArrows: false }), "muted")).toBe(0);
    expect(lines(draw({ allArrows: false, selected: 1 }), "accent")).toBe(6);
  });

  test("shows by shape too what the tint shows", () => {
    const calls = draw({ cone: Uint8Array.of(SELF, EARLIER, LATER), selected: 0 });
    expect(calls.filter((one) => one.startsWith("symbol")).map((one) => one.split(" ")[1])).toEqual(["left", "right"]);
    expect(draw({ cone: Uint8Array.of(UNDECIDED, UNDECIDED, SELF), selected: 2 }).filter((one) => one.startsWith("frame"))).toHaveLength(2);
  });

  test("draws only lanes on screen", () => {
    const last = layout.lanes.at(-1);
    const calls = draw({}, { scrollTop: (last?.top ?? 0) + 1, height: RULER_HEIGHT + 30 });
    expect(calls.filter((one) => one.startsWith("rect"))).toHaveLength(1);
    expect(laneRange(layout, { ...frame, scrollTop: 0, height: RULER_HEIGHT + 1 })).toEqual({ first: 0, end: 1 });
  });

  test("marks a message that this axis shows arriving before it was sent", () => {
    const wrong = { ...shown, start: Float64Array.of(400, 250, 500) };
    expect(lines(draw({ shown: wrong }), "error")).toBe(3);
  });

  test("finds the span under the pointer", () => {
    const y = RULER_HEIGHT + barMiddle(layout, 1);
    expect([spaceRowAt(frame, scene, 150, y), spaceRowAt(frame, scene, 97, y), spaceRowAt(frame, scene, 60, y), spaceRowAt(frame, scene, 150, 5)]).toEqual([1, 1, -1, -1]);
  });

  test("the cut crosses what is open", () => {
    const renderer = new RecordingRenderer(400, 400);
    drawSpaceOverlay(renderer, theme, frame, scene, { hovered: -1, pointerX: null, cut: 300, halfWidths: null });
    expect(renderer.calls.filter((one) => one.startsWith("symbol diamond"))).toHaveLength(2);
    expect(renderer.calls).toContain("line 120.5 4 120.5 400 accent");
  });
});

test("what lies behind a pixel is not drawn, what is chosen always is", () => {
  // Two thousand spans of a nanosecond, one after another: one pixel has five of them.
  const many = sampleTrace(`web GET 0+20000\n${Array.from({ length: 2_000 }, (_, i) => `  web step ${i * 10}+1`).join("\n")}`);
  const dense = layoutLanes(many, communicating(many), "all", []);
  const colors = new Uint8Array(many.rowCount);
  const paint = (window: { start: number; end: number }, selected = -1): string[] => {
    const renderer = new RecordingRenderer(400, 400);
    drawSpace(renderer, theme, { ...frame, window }, { ...scene, shown: many, layout: dense, colors, selected });
    return renderer.calls.filter((one) => one.startsWith("rect"));
  };
  expect(paint({ start: 0, end: 20_000 })).toHaveLength(2);
  expect(paint({ start: 0, end: 20_000 }, 1_001)).toHaveLength(3);
  // Each has its own pixels here: the root, ten within, and the one that starts at the right edge.
  expect(paint({ start: 10_000, end: 10_100 })).toHaveLength(12);
  expect(spaceRowAt({ ...frame, window: { start: 10_000, end: 10_100 } }, { ...scene, shown: many, layout: dense }, 2, RULER_HEIGHT + dense.lanes[0]!.pitch * 1.5 + 9)).toBe(1001);
});
