// The search form as a value, and its place in the URL. Everything the page shows follows from it.
import { parseDuration } from "../base/units.ts";

export type SpanStatus = "" | "ok" | "error" | "unset";
export type Order = "newest" | "slowest" | "most_spans" | "most_errors" | "worst";

export interface SearchQuery {
  readonly service: string;
  readonly operation: string;
  /** `key=value` each. */
  readonly attributes: readonly string[];
  readonly status: SpanStatus;
  readonly minDuration: string;
  readonly maxDuration: string;
  /** A detector or the key of a group of findings that the trace must have, `*` = any; empty = no matter. */
  readonly finding: string;
  /** Relative (`-1h`), RFC 3339, or empty for "no limit". */
  readonly start: string;
  readonly end: string;
  readonly order: Order;
  readonly limit: number;
  readonly cursor: string;
  /** How many pages were turned to get to the cursor, for display only. */
  readonly page: number;
  readonly live: boolean;
  /** The plot above the list: its traces as points, or all matches counted. */
  readonly plot: "points" | "heat";
}

export const ORDERS: readonly { readonly value: Order; readonly label: string }[] = [
  { value: "newest", label: "Newest first" },
  { value: "slowest", label: "Slowest first" },
  { value: "most_spans", label: "Most spans first" },
  { value: "most_errors", label: "Most errors first" },
  { value: "worst", label: "Worst findings first" },
];
export const LIMITS: readonly number[] = [20, 50, 100, 200];
export const PRESETS: readonly { readonly start: string; readonly label: string }[] = [
  { start: "", label: "All time" },
  { start: "-5m", label: "Last 5 minutes" },
  { start: "-15m", label: "Last 15 minutes" },
  { start: "-1h", label: "Last hour" },
  { start: "-6h", label: "Last 6 hours" },
  { start: "-24h", label: "Last 24 hours" },
  { start: "-7d", label: "Last 7 days" },
];

export const EMPTY_QUERY: SearchQuery = {
  service: "", operation: "", attributes: [], status: "", minDuration: "", maxDuration: "", finding: "",
  start: "", end: "", order: "newest", limit: 50, cursor: "", page: 1, live: false, plot: "points",
};

const STATUSES: readonly string[] = ["ok", "error", "unset"];

export function parseSearch(params: URLSearchParams): SearchQuery {
  const text = (key: string): string => params.get(key) ?? "";
  const status = text("status");
  const order = ORDERS.find((one) => one.value === text("order"))?.value ?? EMPTY_QUERY.order;
  const limit = Number(text("limit"));
  const page = Number(text("page"));
  return {
    service: text("service"),
    operation: text("operation"),
    attributes: params.getAll("attr").filter((one) => one !== ""),
    status: STATUSES.includes(status) ? (status as SpanStatus) : "",
    minDuration: text("min_duration"),
    maxDuration: text("max_duration"),
    finding: text("finding"),
    start: text("start"),
    end: text("end"),
    order,
    limit: Number.isInteger(limit) && limit >= 1 && limit <= 1000 ? limit : EMPTY_QUERY.limit,
    cursor: text("cursor"),
    page: Number.isInteger(page) && page > 1 ? page : 1,
    live: text("live") === "1",
    plot: text("plot") === "heat" ? "heat" : "points",
  };
}

/** Only what differs from the empty form, so that links stay short. */
export function searchParams(query: SearchQuery): URLSearchParams {
  const params = new URLSearchParams();
  const put = (key: string, value: string, usual = ""): void => {
    if (value !== usual) params.set(key, value);
  };
  put("service", query.service);
  put("operation", query.operation);
  for (const attribute of query.attributes) params.append("attr", attribute);
  put("status", query.status);
  put("min_duration", query.minDuration);
  put("max_duration", query.maxDuration);
  put("finding", query.finding);
  put("start", query.start);
  put("end", query.end);
  put("order", query.order, EMPTY_QUERY.order);
  put("limit", String(query.limit), String(EMPTY_QUERY.limit));
  put("cursor", query.cursor);
  put("page", String(query.page), "1");
  put("live", query.live ? "1" : "");
  put("plot", query.plot, "points");
  return params;
}

/** What the API is asked. The server knows hours but a week is clearer to people, so days become hours. */
export function apiParams(query: SearchQuery): URLSearchParams {
  const params = searchParams({ ...query, page: 1, live: false, plot: "points" });
  params.set("order", query.order);
  params.set("limit", String(query.limit));
  for (const key of ["start", "end"]) {
    const days = /^-(\d+)d$/.exec(params.get(key) ?? "");
    if (days !== null) params.set(key, `-${Number(days[1]) * 24}h`);
  }
  for (const key of ["min_duration", "max_duration"]) {
    const value = params.get(key);
    if (value !== null) params.set(key, value.replaceAll(" ", "").replace("min", "m"));
  }
  return params;
}

/** What of a question traces that arrive can be held against: all but their time, order and page. */
export function tailParams(query: SearchQuery): URLSearchParams {
  const params = apiParams({ ...query, start: "", end: "", cursor: "" });
  for (const key of ["order", "limit"]) params.delete(key);
  return params;
}

export function searchUrl(query: SearchQuery): string {
  const text = searchParams(query).toString();
  return text === "" ? "/search" : `/search?${text}`;
}

/** The same question from its first page: what every change of a filter must lead to. */
export function changed(query: SearchQuery, change: Partial<SearchQuery>): SearchQuery {
  return { ...query, cursor: "", page: 1, ...change };
}

export function filterCount(query: SearchQuery): number {
  const single = [query.service, query.operation, query.status, query.minDuration, query.maxDuration, query.finding, query.start || query.end];
  return single.filter((one) => one !== "").length + query.attributes.length;
}

/** Whether traces without findings are left out: they have no place among the worst. */
export const onlyWithFindings = ({ finding, order }: SearchQuery): boolean => finding !== "" || order === "worst";

/** Null when fine, else what is wrong, in words for the field. */
export function durationProblem(text: string): string | null {
  return text === "" || parseDuration(text) !== null ? null : "Use a number and a unit, like 10ms or 1.5s";
}

export function attributeProblem(text: string): string | null {
  return /^[^=]+=/.test(text) ? null : "Write key=value";
}
