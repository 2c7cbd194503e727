// What a person likes, kept in this browser: theme, time zone, column width. Storage may be forbidden or
// full; then preferences last as long as the page.
import { effect, signal, type Signal } from "@preact/signals";
import type { TimeZone } from "../base/time.ts";

export type Theme = "system" | "light" | "dark";

function load(key: string): string | null {
  try {
    return window.localStorage.getItem(`causeway.${key}`);
  } catch {
    return null;
  }
}

function kept<T extends string | number>(key: string, usual: T, read: (text: string) => T): Signal<T> {
  const text = load(key);
  const kept = signal<T>(text === null ? usual : read(text));
  effect(() => {
    const value = String(kept.value);
    try {
      window.localStorage.setItem(`causeway.${key}`, value);
    } catch {
      // Nothing to do: the value still holds for this page.
    }
  });
  return kept;
}

/** A list of the newest first, of at most `most`; what cannot be read any more is forgotten. */
export function keptList<T>(key: string, most: number, read: (value: unknown) => T | null): Signal<readonly T[]> {
  let old: readonly T[] = [];
  try {
    const json: unknown = JSON.parse(load(key) ?? "[]");
    old = Array.isArray(json) ? json.map(read).filter((one) => one !== null).slice(0, most) : [];
  } catch {
    // Not ours, or from another version: start anew.
  }
  const list = signal<readonly T[]>(old);
  effect(() => {
    const text = JSON.stringify(list.value.slice(0, most));
    try {
      window.localStorage.setItem(`causeway.${key}`, text);
    } catch {
      // Nothing to do: the value still holds for this page.
    }
  });
  return list;
}

export const theme = kept<Theme>("theme", "system", (text) => (text === "light" || text === "dark" ? text : "system"));
export const timeZone = kept<TimeZone>("time_zone", "local", (text) => (text === "utc" ? "utc" : "local"));
/** Share of the timeline that the tree takes. */
export const treeShare = kept<number>("tree_share", 0.36, (text) => Math.min(0.8, Math.max(0.15, Number(text) || 0.36)));
export const panelWidth = kept<number>("panel_width", 440, (text) => Math.min(900, Math.max(300, Number(text) || 440)));

const systemDark = window.matchMedia("(prefers-color-scheme: dark)");
/** Counts changes of the colours on screen, for those who draw them by hand. */
export const themeVersion = signal(0);

effect(() => {
  const wish = theme.value;
  if (wish === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = wish;
  themeVersion.value = themeVersion.peek() + 1;
});
systemDark.addEventListener("change", () => {
  themeVersion.value++;
});
