// Drawing, as lists of what was drawn.
import { describe, expect, test } from "vitest";
import type { TraceSummary } from "../api/trace_summary.ts";
import { sampleTrace } from "../model/sample_trace.ts";
import { findFolds } from "../model/folds.ts";
import { FIRST_COLLAPSE, NOTHING_COLLAPSED, visibleRows } from "../model/visible_rows.ts";
import type { CanvasTheme } from "./canvas_theme.ts";
import { HEAT_COLUMNS } from "../model/heat_query.ts";
import { cellAt, drawHeat, heatFrame } from "./draw_heatmap.ts";
import { drawGrid } from "./draw_grid.ts";
import { drawOverlay } from "./draw_overlay.ts";
import { drawSpans, type SpanScene } from "./draw_spans.ts";
import { drawBrush, drawMinimap, minimapGrid } from "./minimap.ts";
import { RecordingRenderer } from "./recording_renderer.ts";
import { durationOfY, millisOfX, scatterFrame, traceAt, xOfMillis, yOfDuration } from "./scatter.ts";
import { positionOfY, rowRange, timeOfX, xOfTime, type TimelineFrame } from "./timeline_frame.ts";

const theme: CanvasTheme = {
  services: [...Array.from({ length: 12 }, (_, i) => `s${i}`), "none"], heat: [], ink: "ink", muted: "muted", line: "line", lineStrong: "strong", surface: "surface",
  accent: "accent", error: "error", onError: "onError", warning: "warning", shade: "shade",
};
const trace = sampleTrace(`
  web GET 0+1000
    db SELECT 250+250 error
    db odd 0+0 timeless
  x lost 0+0 missing
    mail send 500+100
`);
const scene: SpanScene = { trace, rows: visibleRows(trace, findFolds(trace), NOTHING_COLLAPSED), colors: Uint8Array.of(0, 1, 1, 12, 3), palette: theme.services, matches: null, foldedRun: () => 0 };
const frame: TimelineFrame = { width: 400, height: 28 + 100, rowHeight: 20, scrollTop: 0, window: { start: 0, end: 1000 } };

function spans(change: Partial<TimelineFrame>, sceneChange: Partial<SpanScene> = {}): string[] {
  const renderer = new RecordingRenderer(400, 128);
  drawSpans(renderer, theme, { ...frame, ...change }, { ...scene, ...sceneChange });
  return renderer.calls;
}

describe("the timeline", () => {
  test("maps rows and times to pixels and back", () => {
    expect([xOfTime(frame, 250), timeOfX(frame, 100)]).toEqual([100, 250]);
    expect([10, 28, 47, 48, 127, 128].map((y) => positionOfY(frame, y, 5))).toEqual([-1, 0, 0, 1, 4, -1]);
    expect(positionOfY({ ...frame, scrollTop: 30 }, 28, 5)).toBe(1);
    expect(rowRange({ ...frame, scrollTop: 30 }, 100)).toEqual({ first: 1, end: 7 });
    expect(rowRange({ ...frame, scrollTop: 0 }, 2)).toEqual({ first: 0, end: 2 });
  });

  test("draws a bar per span and marks what is special", () => {
    expect(spans({})).toEqual([
      "clear",
      "rect 0 33 400 10 s0", "rect 100 53 100 10 s1", "rect 200 113 40 10 s3",
      "frame 100 53 100 10 error", "symbol error 100 58", "text 205 58 250 ns ink left",
      "text 6 78 no usable time warning left",
      "frame 200 94 40 9 warning",
      "text 245 118 100 ns ink left",
    ]);
  });

  test("points to bars outside the window", () => {
    expect(spans({ window: { start: 700, end: 900 } }).filter((one) => one.startsWith("symbol"))).toEqual(["symbol left 6 58", "symbol left 6 118"]);
  });

  test("draws only rows on screen", () => {
    expect(spans({ scrollTop: 80, height: 48 }).filter((one) => one.startsWith("rect"))).toEqual(["rect 200 33 40 10 s3"]);
  });

  test("dims what does not match", () => {
    const rects = spans({}, { matches: Uint8Array.of(0, 1, 0, 0, 0) }).filter((one) => one.startsWith("rect"));
    expect(rects).toEqual(["rect 0 33 400 10 s0 alpha 0.22", "rect 200 113 40 10 s3 alpha 0.22", "rect 100 53 100 10 s1"]);
  });

  test("draws a run of equal calls in one row, with its count and sum", () => {
    const run = sampleTrace(`
      web GET 0+1000
        db SELECT 0+100
        db SELECT 100+100
        db SELECT 200+100 error
        db SELECT 500+100
        db SELECT 600+200
    `);
    const folds = findFolds(run);
    const calls = spans({}, {
      trace: run, rows: visibleRows(run, folds, FIRST_COLLAPSE), colors: Uint8Array.of(0, 1, 1, 1, 1, 1), foldedRun: (row) => folds.length[row] ?? 0,
    });
    expect(calls.filter((one) => one.startsWith("rect"))).toEqual([
      "rect 0 33 400 10 s0", "rect 0 53 39 10 s1", "rect 40 53 39 10 s1", "rect 80 53 39 10 s1", "rect 200 53 39 10 s1", "rect 240 53 79 10 s1",
    ]);
    expect(calls.filter((one) => one.startsWith("symbol"))).toEqual(["symbol error 80 58"]);
    const wide = spans({ width: 1600 }, {
      trace: run, rows: visibleRows(run, folds, FIRST_COLLAPSE), colors: new Uint8Array(6), foldedRun: (row) => folds.length[row] ?? 0, matches: Uint8Array.of(0, 0, 1, 0, 0, 0),
    });
    expect(wide).toContain("text 1285 58 5 × 100 ns, 600 ns in all ink left");
    expect(wide.filter((one) => one.startsWith("rect") && !one.includes("alpha"))).toEqual(["rect 160 53 159 10 s0"]);
  });

  test("has a ruler with round times", () => {
    const renderer = new RecordingRenderer(400, 128);
    drawGrid(renderer, theme, frame);
    expect(renderer.calls.filter((one) => one.startsWith("text"))).toEqual(["text 5 14 0 muted left", "text 205 14 500 ns muted left"]);
  });

  test("outlines the selection and shows the time under the pointer", () => {
    const renderer = new RecordingRenderer(400, 128);
    drawOverlay(renderer, theme, frame, scene, { selected: 1, eventTimes: [300], pointerX: 200, drag: null });
    expect(renderer.calls).toContain("symbol triangle 120 53");
    expect(renderer.calls.some((one) => one.startsWith("frame 98"))).toBe(true);
    expect(renderer.calls.at(-1)).toMatch(/^text \d+ 13 500 ns surface center$/);
  });
});

describe("the minimap", () => {
  const grid = minimapGrid(trace, scene.colors, 10, 5);

  test("has a cell for every span's time", () => {
    expect([...grid.cells.subarray(0, 10)]).toEqual(Array.from({ length: 10 }, () => 1));
    expect([...grid.cells.subarray(10, 20)]).toEqual([0, 0, 2, 2, 2, 0, 0, 0, 0, 0]);
    expect([...grid.cells.subarray(30, 40)].every((cell) => cell === 0)).toBe(true);
    expect([...grid.errors]).toEqual([0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
  });

  test("is drawn in runs", () => {
    const renderer = new RecordingRenderer(100, 30);
    drawMinimap(renderer, theme, theme.services, grid);
    expect(renderer.calls.filter((one) => one.startsWith("rect"))).toHaveLength(3);
    expect(renderer.calls.filter((one) => one.startsWith("symbol"))).toEqual(["symbol diamond 20 5"]);
  });

  test("shades what is outside the window", () => {
    const renderer = new RecordingRenderer(100, 30);
    drawBrush(renderer, theme, { start: 250, end: 500 }, 1000);
    expect(renderer.calls.slice(1, 3)).toEqual(["rect 0 0 25 30 shade", "rect 50 0 50 30 shade"]);
    drawBrush(renderer, theme, { start: 0, end: 1000 }, 1000);
    expect(renderer.calls.at(-1)).toBe("clear");
  });
});

describe("the scatter plot", () => {
  const summary = (millis: number, durationNs: number | null): TraceSummary => ({
    traceId: "", rootSpanId: null, rootService: null, rootName: null, startUnixNano: `${millis}000000`, durationNs, envelopeNs: 5e6, spans: 1, errors: 0,
    services: [], missingParents: 0, complete: true, findings: [],
  });
  const traces = [summary(1_780_000_000_000, 1e6), summary(1_780_000_060_000, 1e9), summary(1_780_000_030_000, null)];
  const plot = scatterFrame(traces, 800, 200);

  test("finds the trace under the pointer", () => {
    traces.forEach((one, i) => {
      const x = xOfMillis(plot, Number(one.startUnixNano.slice(0, -6)));
      const y = yOfDuration(plot, one.durationNs ?? one.envelopeNs);
      expect(traceAt(plot, traces, x + 5, y - 5)).toBe(i);
    });
    expect(traceAt(plot, traces, 400, 10)).toBe(-1);
  });

  test("maps back to time and duration", () => {
    expect(millisOfX(plot, xOfMillis(plot, 1_780_000_010_000))).toBeCloseTo(1_780_000_010_000, 0);
    expect(durationOfY(plot, yOfDuration(plot, 5e7))).toBeCloseTo(5e7, 0);
  });

  test("has a frame for one trace and for none", () => {
    const one = scatterFrame(traces.slice(0, 1), 800, 200);
    expect(one.durationMax / one.durationMin).toBeGreaterThanOrEqual(9.99);
    expect(one.timeEnd - one.timeStart).toBe(1000);
    expect(scatterFrame([], 800, 200).timeEnd).toBe(1);
  });
});

describe("the heatmap", () => {
  const grid = { timeStart: 0, timeEnd: HEAT_COLUMNS * 1000, spans: 12, rootsOnly: true, cells: [{ column: 0, row: 24, count: 1, errors: 0 }, { column: 71, row: 27, count: 11, errors: 2 }] };
  const frame = heatFrame(grid, 400, 200);

  test("draws a cell per count, stronger where there are more, and marks errors", () => {
    const renderer = new RecordingRenderer(400, 200);
    drawHeat(renderer, { ...theme, heat: ["h0", "h1", "h2", "h3"] }, frame, grid);
    expect(renderer.calls.map((one) => one.split(" ").filter((word) => !/^[\d.]+$/.test(word)).join(" "))).toEqual(["rect h0", "rect h3", "symbol diamond"]);
  });

  test("knows the cell under a point, and the frame ends with the cells", () => {
    const x = xOfMillis(frame, 71_500);
    expect(cellAt(grid, frame, x, yOfDuration(frame, 6e6))).toMatchObject({ column: 71, count: 11 });
    expect(cellAt(grid, frame, x, yOfDuration(frame, 1.2e6))).toBeUndefined();
    expect([frame.durationMin, Math.round(frame.durationMax)]).toEqual([1e6, 1e7]);
  });
});
