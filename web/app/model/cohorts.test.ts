// Cohorts as words of an address, as questions, and what their answers say.
import { expect, test } from "vitest";
import { decodeSqlResult } from "../api/sql.ts";
import { cohortRows, cohortTotals, operationsSql, parseSide, sideText, totalsSql, versionsOf, type CohortSide } from "./cohorts.ts";

const result = (...rows: unknown[][]) => decodeSqlResult({ columns: (rows[0] ?? []).map((_, i) => ({ name: `c${i}`, type: "Utf8" })), rows, truncated: false, elapsed_ms: 1 });

test("sides survive the address, and nonsense does not", () => {
  const sides: CohortSide[] = [{ kind: "all" }, { kind: "trace", id: "a".repeat(32) }, { kind: "version", version: "1.2:rc" }, { kind: "version", version: "" }, { kind: "before", time: "2026-11-20T12:00:00Z" }, { kind: "after", time: "2026-11-20T12:00:00Z" }];
  for (const side of sides) expect(parseSide(sideText(side))).toEqual(side);
  for (const text of [null, "", "some", "trace:abc", "before:", "after:soon", "trace:' OR 1=1 --"]) expect(parseSide(text), String(text)).toBe(null);
});

test("texts of others stay texts in the question", () => {
  expect(operationsSql("it's", "GET '", { kind: "version", version: "1'0" })).toContain("service_name = 'it''s' AND name = 'GET ''' AND service_version = '1''0' ORDER BY");
  expect(totalsSql("a", "b", { kind: "after", time: "2026-11-20T12:00:00Z" })).toContain("start_time_unix_nano >= 1795176000000000000 ");
  expect(totalsSql("a", "b", { kind: "version", version: "" })).toContain("service_version IS NULL");
});

test("what differs most comes first, and what is on one side only is there", () => {
  const rows = cohortRows(result(["web", "GET /", "10", 1, 100, "0"], ["db", "SELECT", "10", 2, 50, "1"], ["old", "x", "3", 1, 5, "0"]), result(["web", "GET /", "8", 1, 120, "0"], ["db", "SELECT", "8", 9, 400, "2"]));
  expect(rows.map((one) => [one.name, one.a.total, one.b.total, one.b.calls])).toEqual([["SELECT", 50, 400, 9], ["GET /", 100, 120, 1], ["x", 5, 0, 0]]);
});

test("an empty cohort has no median", () => {
  expect(cohortTotals(result(["0", null, null]))).toEqual({ traces: 0, p50: Number.NaN, p95: Number.NaN });
  expect(versionsOf(result(["1.0", "7"], [null, "2"]))).toEqual([{ version: "1.0", traces: 7 }, { version: "", traces: 2 }]);
});
