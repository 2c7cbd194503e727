// Units, times, zoom arithmetic, unsafe text, frames.
import { describe, expect, test } from "vitest";
import { FrameScheduler } from "./frame_scheduler.ts";
import { addressPart, blockOf, lineOf } from "./text.ts";
import { addNanoseconds, formatAge, formatDateTime, formatDateTimeExactly } from "./time.ts";
import { clampWindow, fullWindow, isFullWindow, panWindow, tickStep, windowAround, zoomWindow } from "./time_window.ts";
import { formatDuration, formatTick, parseDuration, plural } from "./units.ts";

describe("durations", () => {
  test.each([
    [0, "0"], [1, "1 ns"], [999, "999 ns"], [1000, "1 µs"], [1234, "1.23 µs"], [12_345, "12.3 µs"], [999_960, "1 ms"],
    [1_500_000, "1.5 ms"], [999_499_999, "999 ms"], [999_960_000, "1 s"], [59_990_000_000, "60 s"], [60e9, "1 m"], [125e9, "2 m 05 s"],
    [3599.9e9, "1 h"], [3600e9, "1 h"], [5400e9, "1 h 30 m"], [90_000e9, "1 d 01 h"], [-120_000, "−120 µs"], [Number.NaN, "–"],
  ])("%d ns is %s", (value, text) => {
    expect(formatDuration(value)).toBe(text);
  });

  test.each([
    ["10ms", 10e6], ["1.5 s", 1.5e9], ["2m", 120e9], ["100us", 1e5], ["100µs", 1e5], ["1h", 3600e9], ["5", null], ["ms", null], ["-5ms", null], ["", null], ["5 parsecs", null],
  ])("%s is read as %d", (text, value) => {
    expect(parseDuration(text)).toBe(value);
  });

  test("ticks have as many decimals as their step needs", () => {
    expect([0, 5e6, 1.5e9, 100_000_250].map((value, i) => formatTick(value, [1e6, 5e6, 5e8, 50][i] ?? 1))).toEqual(["0", "5 ms", "1.5 s", "100.00025 ms"]);
  });

  test("counts agree with their noun", () => {
    expect([plural(1, "span"), plural(0, "span"), plural(10_000, "span")]).toEqual(["1 span", "0 spans", "10,000 spans"]);
  });
});

describe("times", () => {
  test("keep all nine digits", () => {
    expect(formatDateTime("1780000000123456789", "utc")).toBe("2026-05-28 20:26:40.123");
    expect(formatDateTimeExactly("1780000000123456789", "utc")).toBe("2026-05-28 20:26:40.123456789");
    expect(addNanoseconds("1780000000000000001", 41)).toBe("1780000000000000042");
  });

  test("that no clock can show stay as they are", () => {
    expect(formatDateTime("184467440737095516150", "utc")).toBe("184467440737095516150");
    expect(formatDateTime("18446744073709551615", "utc")).toBe("2554-07-21 23:34:33.709");
    expect(formatDateTime("never", "utc")).toBe("never");
    expect(formatDateTimeExactly("0", "utc")).toBe("1970-01-01 00:00:00.000000000");
  });

  test("have an age, also when the sender's clock is ahead", () => {
    expect([formatAge(0, 5000), formatAge(0, 200_000), formatAge(0, 3e8), formatAge(9000, 0)]).toEqual(["5 s ago", "3 min ago", "3 d ago", "in 9 s"]);
  });
});

describe("the time window", () => {
  const extent = 1_000_000;

  test("zooms around the anchor", () => {
    const zoomed = zoomWindow(fullWindow(extent), extent, 0.5, 0.25);
    expect(zoomed).toEqual({ start: 125_000, end: 625_000 });
    expect(zoomWindow(zoomed, extent, 2, 0.25)).toEqual({ start: 0, end: 1_000_000 });
  });

  test("never leaves the trace and never gets too small", () => {
    expect(zoomWindow({ start: 0, end: 150 }, extent, 0.01, 1)).toEqual({ start: 50, end: 150 });
    expect(zoomWindow(fullWindow(extent), extent, 10, 0.5)).toEqual(fullWindow(extent));
    expect(panWindow({ start: 900_000, end: 1_000_000 }, extent, 3)).toEqual({ start: 900_000, end: 1_000_000 });
    expect(clampWindow({ start: -50_000, end: 50_000 }, extent)).toEqual({ start: 0, end: 100_000 });
    expect(windowAround(0, 1000, extent)).toEqual({ start: 0, end: 1200 });
  });

  test("of a trace without length can still be drawn", () => {
    expect(fullWindow(0)).toEqual({ start: 0, end: 100 });
    expect(isFullWindow(zoomWindow(fullWindow(0), 0, 0.5, 0.5), 0)).toBe(true);
  });

  test("has round ticks", () => {
    expect([tickStep(1000, 10), tickStep(999, 7), tickStep(3, 10), tickStep(45_000, 9)]).toEqual([100, 200, 0.5, 5000]);
  });
});

describe("text from strangers", () => {
  test("control characters become visible", () => {
    expect(lineOf("a\nb\tc\u0000\u001b[31m\u007f\u0085")).toBe("a↵b⇥c␀␛[31m␡⟨U+0085⟩");
    expect(blockOf("a\nb\tc\u0007")).toBe("a\nb\tc␇");
  });

  test("hidden characters and direction overrides are named", () => {
    expect(lineOf("safe\u202egpj.exe\u200b")).toBe("safe⟨U+202E⟩gpj.exe⟨U+200B⟩");
    expect(lineOf("half \ud83d pair")).toBe("half � pair");
    expect(addressPart("a/b \ud83d")).toBe("a%2Fb%20%EF%BF%BD");
  });

  test("joined emoji and right-to-left words stay", () => {
    expect(lineOf("👩‍👩‍👧 שלום")).toBe("👩‍👩‍👧 שלום");
  });

  test("long strings are cut between characters", () => {
    expect(lineOf("x".repeat(10_000))).toBe(`${"x".repeat(300)}…`);
    expect(lineOf(`${"x".repeat(9)}😀😀`, 10)).toBe(`${"x".repeat(9)}…`);
  });
});

test("a frame runs actions before drawings, and each once", () => {
  const log: string[] = [];
  let run = (): void => {};
  const frames = new FrameScheduler((wish) => (run = wish));
  const draw = (): void => void log.push("draw");
  frames.draw(draw);
  frames.action(() => {
    log.push("action");
    frames.draw(draw);
  });
  run();
  expect(log).toEqual(["action", "draw"]);
});
