// The services pages' place in the address, the time they ask about, and their rows: the service map with a layout
// that depends on names and edges alone, so that it is the same at each visit.
import type { FindingGroup } from "../api/findings.ts";
import type { Red, RedPoint, RedSeries, ServiceEdge, ServiceGraph, ServiceNode } from "../api/services.ts";
import { formatCount } from "../base/units.ts";
import { layOutGraph, type Placed } from "./graph_layout.ts";
import { EMPTY_QUERY, searchUrl } from "./search_query.ts";
import { servicePath } from "./service_path.ts";

export const TIME_CHOICES = [
  { value: "-15m", label: "Last 15 minutes" },
  { value: "-1h", label: "Last hour" },
  { value: "-6h", label: "Last 6 hours" },
  { value: "-24h", label: "Last 24 hours" },
  { value: "-168h", label: "Last 7 days" },
] as const;
export const USUAL_START = "-1h";

export const SERVICE_VIEWS = [
  { id: "list", label: "Services" },
  { id: "map", label: "Map" },
  { id: "calls", label: "Calls" },
] as const;
export type ServiceView = (typeof SERVICE_VIEWS)[number]["id"];

/** What all services pages share in their addresses. */
export interface ServicesQuery {
  /** Relative as in `-1h`, or a time. */
  readonly start: string;
  /** Empty = now. */
  readonly end: string;
  readonly view: ServiceView;
  readonly filter: string;
  /** A column, with a minus in front for "largest first". */
  readonly sort: string;
}

export function parseServicesQuery(params: URLSearchParams): ServicesQuery {
  return {
    start: params.get("start") || USUAL_START, end: params.get("end") ?? "", view: SERVICE_VIEWS.find((one) => one.id === params.get("view"))?.id ?? "list",
    filter: params.get("q") ?? "", sort: params.get("sort") ?? "",
  };
}

function addressParams({ start, end, view, filter, sort }: ServicesQuery): string {
  const params = new URLSearchParams();
  if (start !== USUAL_START) params.set("start", start);
  if (end !== "") params.set("end", end);
  if (view !== "list") params.set("view", view);
  if (filter !== "") params.set("q", filter);
  if (sort !== "") params.set("sort", sort);
  const text = params.toString();
  return text === "" ? "" : `?${text}`;
}

export const servicesUrl = (query: ServicesQuery): string => `/services${addressParams(query)}`;

/** The page of a service, or of one of its operations; only the time is carried there. */
export function serviceUrl(query: ServicesQuery, service: string, operation = ""): string {
  return servicePath(service, operation) + addressParams({ ...query, view: "list", filter: "", sort: "" });
}

/** The traces of a service or an operation in the same time; the search says a week in days. */
export function tracesUrl({ start, end }: ServicesQuery, service: string, operation = ""): string {
  return searchUrl({ ...EMPTY_QUERY, service, operation, start: start === "-168h" ? "-7d" : start, end });
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** The asked time in milliseconds since 1970; null when the words are not understood. */
export function askedTime({ start, end }: Pick<ServicesQuery, "start" | "end">, now: number): readonly [number, number] | null {
  const at = (text: string): number => {
    const relative = /^-(\d+(?:\.\d+)?)([smhd])$/.exec(text);
    if (relative !== null) return now - Number(relative[1]) * (UNITS[relative[2] ?? "s"] ?? 1) * 1000;
    return /^\d{16,20}$/.test(text) ? Number(text.slice(0, -6)) : Date.parse(text);
  };
  const [from, to] = [at(start), end === "" ? now : at(end)];
  return from < to ? [from, to] : null;
}

/** A second at least: the charts have no finer steps. */
const NARROW_MILLIS_MIN = 1000;

/** A stretch of time as part of a query, in whole seconds. */
export function timeBetween(from: number, to: number): Pick<ServicesQuery, "start" | "end"> {
  const start = Math.floor(from / 1000) * 1000;
  const end = Math.max(start + NARROW_MILLIS_MIN, Math.ceil(to / 1000) * 1000);
  return { start: new Date(start).toISOString().replace(".000", ""), end: new Date(end).toISOString().replace(".000", "") };
}

export function askedSeconds(query: Pick<ServicesQuery, "start" | "end">, now: number): number | null {
  const time = askedTime(query, now);
  return time === null ? null : (time[1] - time[0]) / 1000;
}

const STEPS = ["1s", "5s", "10s", "30s", "1m", "2m", "5m", "15m", "30m", "1h", "3h", "6h", "24h"] as const;
const POINTS_MOST = 100;
/** Of more steps only those are drawn that the answer has. */
const STEPS_MAX = 2000;

/** A round step that gives at most 100 points. */
export function stepOf(seconds: number): string {
  return STEPS.find((step) => Number(step.slice(0, -1)) * (UNITS[step.slice(-1)] ?? 1) * POINTS_MOST >= seconds) ?? "24h";
}

export function timeParams({ start, end }: ServicesQuery): URLSearchParams {
  return new URLSearchParams([["start", start], ...(end === "" ? [] : [["end", end]])]);
}

export function redParams(query: ServicesQuery, service: string, operation: string, now: number): URLSearchParams {
  const params = timeParams(query);
  params.set("service", service);
  if (operation !== "") params.set("operation", operation);
  params.set("step", stepOf(askedSeconds(query, now) ?? 3600));
  return params;
}

/** The points of a series, also for steps of which the answer says nothing because nothing was called in them. `time` is
 * what was asked for by this machine's clock; where points lie outside of it that clock differs from the server's, and
 * only gaps between points are filled. */
export function everyStep({ points, stepNs }: RedSeries, time: readonly [number, number] | null): RedPoint[] {
  const step = BigInt(Math.max(1, Math.round(stepNs)));
  const known = new Map(points.map((one) => [BigInt(one.startUnixNano) / step, one]));
  const [from, to] = (time ?? []).map((millis) => (BigInt(Math.round(millis)) * 1_000_000n) / step);
  const agrees = from !== undefined && to !== undefined && [...known.keys()].every((at) => from - 1n <= at && at <= to + 1n);
  const steps = [...known.keys(), ...(agrees ? [from, to] : [])].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const [first] = steps;
  if (first === undefined) return [];
  const count = Number((steps.at(-1) ?? first) - first) + 1;
  if (count > STEPS_MAX) return [...points];
  return Array.from({ length: count }, (_, i): RedPoint => {
    const at = first + BigInt(i);
    return known.get(at) ?? { startUnixNano: String(at * step), requests: 0, errors: 0, p50: Number.NaN, p95: Number.NaN, p99: Number.NaN, exemplar: null };
  });
}

/** Seconds that a series is about. */
export const redSeconds = (query: ServicesQuery, { points, stepNs }: RedSeries): number => askedSeconds(query, Date.now()) ?? Math.max(1e-3, (points.length * stepNs) / 1e9);

/** Seconds that a graph's numbers are of; of a sample fewer, so that its rates are those of all traces. */
export const graphSeconds = ({ startUnixNano, endUnixNano, share }: ServiceGraph): number => Math.max(1e-3, (Number(BigInt(endUnixNano) - BigInt(startUnixNano)) / 1e9) * share);

/** `12.3/s`, `4.2/min`, `3/h`: in the unit that leaves digits before the point. */
export function formatRate(count: number, seconds: number): string {
  if (count === 0) return "0/s";
  const [unit = "s", size = 1] = ([["s", 1], ["min", 60], ["h", 3600]] as const).find(([, length]) => (count / seconds) * length >= 1) ?? ["h", 3600];
  const rate = (count / seconds) * size;
  return `${rate >= 100 ? formatCount(Math.round(rate)) : rate.toPrecision(rate >= 10 ? 3 : 2).replace(/\.0+$/, "")}/${unit}`;
}

export const errorShare = ({ requests, errors }: Red): number => (requests === 0 ? 0 : errors / requests);

/** `0`, `0.4 %`, `12 %`, and never "0 %" of something. */
export function formatShare(share: number): string {
  if (!(share > 0)) return "0";
  const percent = share * 100;
  return percent < 0.1 ? "< 0.1 %" : `${percent >= 9.95 ? percent.toFixed(0) : percent.toFixed(1)} %`;
}

/** How much of what a caller waits is spent between the two; NaN where it is not known. Durations are the called one's. */
export function networkShare({ p50, networkP50 }: Pick<ServiceEdge, "p50" | "networkP50">): number {
  const between = Math.max(0, networkP50);
  return p50 + between > 0 ? between / (p50 + between) : Number.NaN;
}

/** Groups of findings that concern a service: about its calls, or entered at it where they are about no call. */
export function findingsOf(groups: readonly FindingGroup[], service: string): FindingGroup[] {
  return groups.filter(({ callerService, calleeService, entryService }) => {
    const ofCall = [callerService, calleeService].filter((one) => one !== "");
    return (ofCall.length === 0 ? [entryService] : ofCall).includes(service);
  });
}

/** Groups of findings about the calls of one service to another. */
export function findingsBetween(groups: readonly FindingGroup[], caller: string, callee: string): FindingGroup[] {
  return groups.filter((one) => one.callerService === caller && one.calleeService === callee);
}

export interface ServiceMap {
  /** By name, those that nobody calls first. */
  readonly nodes: readonly ServiceNode[];
  readonly edges: readonly (ServiceEdge & { readonly from: number; readonly to: number })[];
  readonly placed: Placed;
  readonly nodesLeftOff: number;
}

/** More boxes than this cannot be read; the list has all. */
export const MAP_NODES_MAX = 150;

const byName = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Everything is put in order by names first, so the picture depends on nothing else. */
export function buildMap(graph: ServiceGraph): ServiceMap {
  const known = new Map(graph.nodes.map((node) => [node.service, node]));
  for (const { caller, callee } of graph.edges) {
    for (const service of [caller, callee]) if (!known.has(service)) known.set(service, { service, requests: 0, errors: 0, p50: Number.NaN, p95: Number.NaN, p99: Number.NaN });
  }
  const called = new Set(graph.edges.filter((edge) => edge.caller !== edge.callee).map((edge) => edge.callee));
  const kept = [...known.values()].sort((a, b) => b.requests - a.requests || byName(a.service, b.service)).slice(0, MAP_NODES_MAX);
  const nodes = kept.sort((a, b) => Number(called.has(a.service)) - Number(called.has(b.service)) || byName(a.service, b.service));
  const at = new Map(nodes.map((node, i) => [node.service, i]));
  const edges = graph.edges
    .flatMap((edge) => {
      const [from, to] = [at.get(edge.caller), at.get(edge.callee)];
      return from === undefined || to === undefined || from === to ? [] : [{ ...edge, from, to }];
    })
    .sort((a, b) => a.from - b.from || a.to - b.to);
  return { nodes, edges, placed: layOutGraph(nodes.length, edges), nodesLeftOff: known.size - nodes.length };
}

export type Sortable = Red & { readonly name: string; readonly findings: number; readonly network: number };

/** What a table of services, operations or calls is sorted by. */
export function sortRed<T extends Sortable>(rows: readonly T[], sort: string): T[] {
  const down = sort.startsWith("-");
  const key = down ? sort.slice(1) : sort;
  const sign = down ? -1 : 1;
  const value = (row: T): number => (key === "errors" ? errorShare(row) : key === "requests" || key === "p50" || key === "p95" || key === "p99" || key === "findings" || key === "network" ? row[key] : 0);
  return rows.toSorted((a, b) => {
    if (key === "name") return sign * byName(a.name, b.name);
    const [left, right] = [value(a), value(b)];
    if (Number.isNaN(left) || Number.isNaN(right)) return Number(Number.isNaN(left)) - Number(Number.isNaN(right)) || byName(a.name, b.name);
    return sign * (left - right) || byName(a.name, b.name);
  });
}
