// From the times of imported spans to a search for them.
import { expect, test } from "vitest";
import { decodeImported } from "../api/import.ts";
import { formatBytes } from "../base/units.ts";
import { importedTimesSql, searchOfImported } from "./imported.ts";

test("the search is about the time of the spans, and nothing where they have none", () => {
  expect(importedTimesSql(["ab", "c'd"])).toBe("SELECT min(start_time_unix_nano) AS first, max(start_time_unix_nano) AS last FROM spans WHERE trace_id IN ('ab', 'c''d')");
  expect(searchOfImported(["1795263000000999999", "1795263002000000000"])).toBe("/search?start=2026-11-21T12%3A09%3A59.999Z&end=2026-11-21T12%3A10%3A02.002Z");
  expect([searchOfImported([null, null]), searchOfImported([]), searchOfImported(["18446744073709551615", "18446744073709551615"])].map((one) => one === null)).toEqual([true, true, false]);
});

test("the answer is checked", () => {
  expect(decodeImported({ spans: 3, traces: 1, duplicates: 0, rejected: 2, trace_ids: ["ab"] })).toEqual({ spans: 3, traces: 1, duplicates: 0, rejected: 2, traceIds: ["ab"] });
  expect(() => decodeImported({ spans: 3 })).toThrow(/traces should be a number/);
});

test("sizes are read at a glance", () => {
  expect([1, 999, 1000, 12_345, 999_600, 1.5e6, 64e6, 2e9].map(formatBytes)).toEqual(["1 byte", "999 bytes", "1 kB", "12.3 kB", "1 MB", "1.5 MB", "64 MB", "2 GB"]);
});
