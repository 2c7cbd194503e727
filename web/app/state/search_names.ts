// Names to complete in the search box, asked for when someone begins to type and kept while the page is open;
// and the searches this browser remembers.
import { signal } from "@preact/signals";
import { fetchAttributeKeys, fetchAttributeValues } from "../api/attribute_names.ts";
import { fetchOperations } from "../api/client.ts";
import { searchUrl, type SearchQuery } from "../model/search_query.ts";
import { keptList } from "./preferences.ts";
import { Remote } from "./remote.ts";

const RECENT_MAX = 12;
const SAVED_MAX = 100;

export const attributeKeys = new Remote<readonly string[]>();
/** By key. Failing to list them is no reason to disturb anyone. */
export const attributeValues = signal<ReadonlyMap<string, readonly string[]>>(new Map());
/** By service. */
export const operationNames = signal<ReadonlyMap<string, readonly string[]>>(new Map());
const asked = new Set<string>();

export function wantKeys(): void {
  if (asked.has("keys")) return;
  asked.add("keys");
  void attributeKeys.load(fetchAttributeKeys);
}

async function once(name: string, load: () => Promise<void>): Promise<void> {
  if (asked.has(name)) return;
  asked.add(name);
  try {
    await load();
  } catch {
    asked.delete(name);
  }
}

export function wantValues(key: string): void {
  void once(`values ${key}`, async () => {
    const values = await fetchAttributeValues(key);
    attributeValues.value = new Map(attributeValues.peek()).set(key, values);
  });
}

export function wantOperations(service: string): void {
  void once(`operations ${service}`, async () => {
    const names = (await fetchOperations(service)).map((one) => one.name);
    operationNames.value = new Map(operationNames.peek()).set(service, names);
  });
}

export interface KeptSearch {
  readonly url: string;
  readonly name: string;
}

function readKept(value: unknown): KeptSearch | null {
  const { url, name } = (value ?? {}) as Partial<KeptSearch>;
  // Only our own addresses: what is stored may have been changed by others.
  return typeof url === "string" && url.startsWith("/search?") && typeof name === "string" ? { url, name } : null;
}

export const recentSearches = keptList<KeptSearch>("recent_searches", RECENT_MAX, readKept);
export const savedSearches = keptList<KeptSearch>("saved_searches", SAVED_MAX, readKept);

const without = (list: readonly KeptSearch[], url: string): readonly KeptSearch[] => list.filter((one) => one.url !== url);

/** The address without page and cursor: those are no part of the question. */
export const keptUrl = (query: SearchQuery): string => searchUrl({ ...query, cursor: "", page: 1, live: false, plot: "points" });

export function remember(query: SearchQuery, name: string): void {
  const url = keptUrl(query);
  if (url === "/search" || name === "") return;
  recentSearches.value = [{ url, name }, ...without(recentSearches.peek(), url)].slice(0, RECENT_MAX);
}

export function save(query: SearchQuery, name: string): void {
  const url = keptUrl(query);
  if (url !== "/search") savedSearches.value = [{ url, name }, ...without(savedSearches.peek(), url)].slice(0, SAVED_MAX);
}

export function forget(url: string): void {
  savedSearches.value = without(savedSearches.peek(), url);
}
