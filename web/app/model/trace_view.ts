// What a link to a trace restores besides the trace: the span, the time window, what is collapsed, the
// search. Rows are named by span id, because row numbers move when late spans arrive.
import type { TracePart } from "../api/client.ts";
import { isPartial, type TraceColumns } from "../api/trace_columns.ts";
import { isFullWindow, type TimeWindow } from "../base/time_window.ts";
import { isSpanId, rowOfSpanId, spanIdOf } from "./span_row.ts";
import { parsePart, partText } from "./trace_part.ts";
import { CLOCK_CHOICES, type ClockChoice } from "./clock_choice.ts";
import { COLOR_CHOICES, type ColorChoice } from "./row_colors.ts";
import { CHANGES_MAX, changeText, parseChange, type Change } from "./what_if.ts";
import type { Collapse } from "./visible_rows.ts";

export interface TraceView {
  /** What is loaded of a trace too large for one answer; null = the longest of all of it. */
  readonly part: TracePart | null;
  /** -1 = none. */
  readonly selected: number;
  /** Id of the span that should be selected and is not in this part, else empty. */
  readonly absent: string;
  /** null = all of the axis. */
  readonly window: TimeWindow | null;
  readonly collapse: Collapse;
  readonly find: string;
  /** Leaves out what the search does not find. */
  readonly onlyFound: boolean;
  readonly color: ColorChoice;
  /** null = not chosen: aligned times where the order is known. */
  readonly clock: ClockChoice | null;
  readonly tab: TabView;
  /** What one tries on the trace. */
  readonly changes: readonly Change[];
}

export const TABS = [
  { id: "timeline", label: "Timeline" },
  { id: "space", label: "Space-time" },
  { id: "findings", label: "Findings" },
  { id: "path", label: "Critical path" },
  { id: "flame", label: "Flame graph" },
  { id: "statistics", label: "Statistics" },
  { id: "spans", label: "Spans" },
  { id: "graph", label: "Call graph" },
] as const;
export type TabId = (typeof TABS)[number]["id"];

/** Which view of the trace is open, and what it shows; empty texts are the view's own choice. */
export interface TabView {
  readonly id: TabId;
  /** What statistics, call graph and critical path group by; the finding that is open. */
  readonly group: string;
  /** A column, with a minus in front for "largest first". */
  readonly sort: string;
  /** The row whose frame the flame graph is zoomed to, or the second span of space-time, or -1. */
  readonly focus: number;
  /** Where space-time is cut, as a time on its axis; null = nowhere. */
  readonly cut: number | null;
}

/** The axis of all views: order has to be known for another than raw. */
export function clockOf(trace: TraceColumns, clock: ClockChoice | null): ClockChoice {
  return trace.order === null ? "raw" : (clock ?? "aligned");
}

export const FIRST_TAB: TabView = { id: "timeline", group: "", sort: "", focus: -1, cut: null };

/** 17 bytes each: more would make links that some programs cut off. */
const TOGGLED_IN_URL_MAX = 100;

/** `extent` is that of the axis on show. */
export function viewParams(trace: TraceColumns, view: TraceView, extent = trace.extent): URLSearchParams {
  const params = new URLSearchParams();
  if (view.part !== null) params.set("part", partText(view.part));
  const span = view.selected >= 0 ? spanIdOf(trace, view.selected) : view.absent;
  if (span !== "") params.set("span", span);
  if (view.window !== null && !isFullWindow(view.window, extent)) {
    params.set("from", String(Math.round(view.window.start)));
    params.set("to", String(Math.round(view.window.end)));
  }
  if (view.collapse.level !== null) params.set("level", String(view.collapse.level));
  if (!view.collapse.folding) params.set("fold", "0");
  for (const service of view.collapse.services) params.append("closed", trace.services[service] ?? "");
  const toggled = [...view.collapse.toggled].slice(0, TOGGLED_IN_URL_MAX).map((row) => spanIdOf(trace, row));
  if (toggled.length > 0) params.set("toggled", toggled.join("."));
  if (view.find !== "") params.set("find", view.find);
  if (view.onlyFound) params.set("only", "1");
  if (view.color !== "service") params.set("color", view.color);
  if (view.clock !== null) params.set("clock", view.clock);
  for (const change of view.changes) params.append("change", changeText(change));
  const { tab } = view;
  if (tab.id !== "timeline") params.set("view", tab.id);
  if (tab.group !== "") params.set("group", tab.group);
  if (tab.sort !== "") params.set("sort", tab.sort);
  if (tab.focus >= 0) params.set("focus", spanIdOf(trace, tab.focus));
  if (tab.cut !== null) params.set("cut", String(Math.round(tab.cut)));
  return params;
}

/** A window is only checked for order: how long the axis is depends on what is loaded later. */
export function parseView(trace: TraceColumns, params: URLSearchParams): TraceView {
  const from = Number(params.get("from") ?? Number.NaN);
  const to = Number(params.get("to") ?? Number.NaN);
  const level = Number(params.get("level") ?? Number.NaN);
  const toggled = (params.get("toggled") ?? "").split(".").slice(0, TOGGLED_IN_URL_MAX);
  const span = params.get("span") ?? "";
  const selected = rowOfSpanId(trace, span);
  return {
    part: isPartial(trace) ? parsePart(params.get("part") ?? "") : null,
    selected,
    absent: isPartial(trace) && selected < 0 && isSpanId(span) ? span.toLowerCase() : "",
    window: to > from ? { start: from, end: to } : null,
    collapse: {
      level: Number.isInteger(level) && level >= 0 ? level : null,
      services: new Set(params.getAll("closed").map((name) => trace.services.indexOf(name)).filter((service) => service >= 0)),
      folding: params.get("fold") !== "0",
      toggled: new Set(toggled.map((id) => rowOfSpanId(trace, id)).filter((row) => row >= 0)),
    },
    find: params.get("find") ?? "",
    onlyFound: params.get("only") === "1",
    color: COLOR_CHOICES.find((one) => one.id === params.get("color"))?.id ?? "service",
    clock: CLOCK_CHOICES.find((one) => one.id === params.get("clock"))?.id ?? null,
    changes: params.getAll("change").map(parseChange).filter((one) => one !== null).slice(0, CHANGES_MAX),
    tab: {
      id: TABS.find((one) => one.id === params.get("view"))?.id ?? "timeline",
      group: params.get("group") ?? "",
      sort: params.get("sort") ?? "",
      focus: rowOfSpanId(trace, params.get("focus") ?? ""),
      cut: /^\d{1,16}$/.test(params.get("cut") ?? "") ? Number(params.get("cut")) : null,
    },
  };
}
