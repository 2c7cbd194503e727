// The search page's data: what was asked (from the URL), the page of traces, and the names for the form.
import { computed, effect, signal } from "@preact/signals";
import { fetchOperations, fetchServices, fetchTracePage, readTailed, tailUrl } from "../api/client.ts";
import type { NameCount, TracePage, TraceSummary } from "../api/trace_summary.ts";
import { withArrivals } from "../model/live_list.ts";
import { apiParams, changed, EMPTY_QUERY, filterCount, parseSearch, searchUrl, tailParams, type SearchQuery } from "../model/search_query.ts";
import { assignSlots } from "../model/service_slots.ts";
import { LiveTail, type Source } from "./live_tail.ts";
import { navigate, place, replacePlace } from "./location.ts";
import { Remote } from "./remote.ts";

/** Where the server does not push: fast enough to feel live, slow enough to be no load. */
const LIVE_MS = 5000;
const EMPTY_SERVER_MS = 1500;

export const query = computed<SearchQuery>(() => parseSearch(place.value.params));
export const traces = new Remote<TracePage>();
export const services = new Remote<readonly NameCount[]>();
export const operations = new Remote<readonly NameCount[]>();
export const hoveredTrace = signal<string | null>(null);
/** When the list on screen was answered. */
export const loadedAt = signal(Date.now());
/** Traces that were not on the list before the last live refresh. */
export const freshTraces = signal<ReadonlySet<string>>(new Set());

/** A trace that was kept to be compared with another one. */
export const comparing = signal<string | null>(null);

export function compareWith(traceId: string): void {
  const kept = comparing.peek();
  comparing.value = kept === null ? traceId : null;
  if (kept !== null && kept !== traceId) navigate(`/compare?a=${kept}&b=${traceId}`);
}

export const slots = computed(() => {
  const names = services.state.value.value?.map((one) => one.name) ?? [];
  const shown = traces.state.value.value?.traces.flatMap((one) => one.services.map((service) => service.name)) ?? [];
  return assignSlots([...names, ...shown]);
});

/** No service has ever been seen and nothing was asked for: this server has no spans at all. */
export const serverIsEmpty = computed(() => {
  const seen = services.state.value;
  const page = traces.state.value.value;
  return seen.value?.length === 0 && page !== null && page.traces.length === 0 && filterCount(query.value) === 0;
});

export function ask(change: Partial<SearchQuery>): void {
  navigate(searchUrl(changed(query.peek(), change)));
}

export function clearFilters(): void {
  const { order, limit, live, plot } = query.peek();
  navigate(searchUrl({ ...EMPTY_QUERY, order, limit, live, plot }));
}

/** Live is about the newest, so it begins on the first page; without it pages can be turned again. */
export function toggleLive(): void {
  const now = query.peek();
  replacePlace(searchUrl(changed(now, { live: !now.live })));
}

export const tail = new LiveTail((url) => new EventSource(url) as Source, readTailed);

/** The server begins with the traces of the last minutes, most of which are on the page already. */
function handOn(arrived: readonly TraceSummary[]): number {
  const { order, limit } = query.peek();
  const known = new Map((traces.state.peek().value?.traces ?? []).map((one) => [one.traceId, one.spans]));
  const fresh = arrived.filter((one) => known.get(one.traceId) !== one.spans);
  traces.update((page) => withArrivals(page, arrived, order, limit));
  loadedAt.value = Date.now();
  freshTraces.value = new Set(fresh.map((one) => one.traceId));
  return fresh.filter((one) => !known.has(one.traceId)).length;
}

export function togglePlot(): void {
  const now = query.peek();
  replacePlace(searchUrl({ ...now, plot: now.plot === "heat" ? "points" : "heat" }));
}

async function loadTraces(refresh: boolean): Promise<void> {
  const before = new Set(traces.state.peek().value?.traces.map((one) => one.traceId) ?? []);
  await traces.load((signal) => fetchTracePage(apiParams(query.peek()), signal));
  const state = traces.state.peek();
  if (state.status !== "ready") return;
  loadedAt.value = Date.now();
  const fresh = refresh && before.size > 0 ? state.value.traces.filter((one) => !before.has(one.traceId)) : [];
  freshTraces.value = new Set(fresh.map((one) => one.traceId));
}

export function reload(): void {
  void loadTraces(true);
  void services.load(fetchServices);
}

/** Starts loading for as long as the page is shown; gives the way to stop. */
export function startSearch(): () => void {
  void services.load(fetchServices);
  let asked = "";
  const stopTraces = effect(() => {
    const wish = apiParams(query.value).toString();
    if (wish === asked) return;
    asked = wish;
    void loadTraces(false);
  });
  const stopOperations = effect(() => {
    const { service } = query.value;
    void operations.load((signal) => (service === "" ? Promise.resolve([]) : fetchOperations(service, signal)), false);
  });
  const isAsking = computed(() => tail.state.value.status === "refused" && !tail.state.value.paused);
  const stopTimer = effect(() => {
    const { live, cursor } = query.value;
    const wait = serverIsEmpty.value ? EMPTY_SERVER_MS : live && isAsking.value && cursor === "" ? LIVE_MS : 0;
    if (wait === 0) return;
    const timer = window.setInterval(() => {
      if (!document.hidden && traces.state.peek().status !== "loading") reload();
    }, wait);
    return () => window.clearInterval(timer);
  });
  const tailed = computed(() => (query.value.live && query.value.cursor === "" ? tailUrl(tailParams(query.value)) : ""));
  const stopTail = effect(() => {
    if (tailed.value === "") tail.stop();
    else tail.start(tailed.value, handOn);
  });
  return () => {
    for (const stop of [stopTraces, stopOperations, stopTimer, stopTail]) stop();
    traces.stop();
    tail.stop();
  };
}

/** Where "back to the search" leads from a trace. */
export const lastSearchUrl = signal("/search");
effect(() => {
  if (place.value.path === "/" || place.value.path === "/search") lastSearchUrl.value = searchUrl(query.value);
});
