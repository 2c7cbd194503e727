// Small traces for tests, as an indented text: `service name start+duration flags`, one span per line.
import { decodeTraceColumns, type TraceColumns } from "../api/trace_columns.ts";

const MARKS: Readonly<Record<string, number>> = { missing: 1, cycle: 2, duplicate: 4, timeless: 8, backwards: 16, early: 32 };

/** Two blanks per level; `error` sets the status, the words of MARKS the flags. */
export function sampleTrace(text: string, order?: object): TraceColumns {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const indent = Math.min(...lines.map((line) => line.search(/\S/)));
  const services: string[] = [];
  const names: string[] = [];
  const index = (table: string[], value: string): number => (table.includes(value) ? table.indexOf(value) : table.push(value) - 1);
  const rows = lines.map((line) => {
    const [service = "", name = "", times = "0+0", ...marks] = line.trim().split(/\s+/);
    const [start = 0, duration = 0] = times.split("+").map(Number);
    return { depth: (line.search(/\S/) - indent) / 2, service: index(services, service), name: index(names, name), start, duration, marks };
  });
  const parent = rows.map((row, i) => rows.findLastIndex((one, k) => k < i && one.depth === row.depth - 1));
  const subtree = rows.map((row, i) => {
    const next = rows.findIndex((one, k) => k > i && one.depth <= row.depth);
    return (next < 0 ? rows.length : next) - i;
  });
  const zeros = rows.map(() => 0);
  return decodeTraceColumns({
    trace_id: "0".repeat(31) + "1", start_unix_nano: "1780000000000000000", duration_ns: Math.max(...rows.map((row) => row.start + row.duration)),
    root_duration_ns: rows[0]?.duration ?? null, root_row: 0, services, names,
    spans: {
      span_id: rows.map((_, i) => (0xabc000 + i).toString(16).padStart(16, "0")), parent, depth: rows.map((row) => row.depth), subtree,
      start_ns: rows.map((row) => row.start), duration_ns: rows.map((row) => row.duration), service: rows.map((row) => row.service), name: rows.map((row) => row.name),
      kind: rows.map(() => 2), status: rows.map((row) => (row.marks.includes("error") ? 2 : 0)), events: zeros, links: zeros,
      flags: rows.map((row) => row.marks.reduce((bits, mark) => bits | (MARKS[mark] ?? 0), 0)),
    },
    completeness: { missing_parents: 0, roots: 1, cycles: 0, duplicate_ids: 0, unusable_times: 0 }, order,
  });
}
