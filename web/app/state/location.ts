// Where we are: path and query of the address bar as a signal, and ways to go elsewhere.
import { signal } from "@preact/signals";

export interface Place {
  readonly path: string;
  readonly params: URLSearchParams;
}

function read(): Place {
  return { path: window.location.pathname, params: new URLSearchParams(window.location.search) };
}

export const place = signal<Place>(read());

window.addEventListener("popstate", () => {
  place.value = read();
});

/** A new step of the history. */
export function navigate(url: string): void {
  if (url === window.location.pathname + window.location.search) return;
  window.history.pushState(null, "", url);
  place.value = read();
  window.scrollTo(0, 0);
}

/** The same step with more precise words; pages that call this do not need to hear of it. */
export function rewriteUrl(url: string): void {
  window.history.replaceState(null, "", url);
}

/** A new step of the history for a page that has already changed itself. */
export function pushUrl(url: string): void {
  if (url !== window.location.pathname + window.location.search) window.history.pushState(null, "", url);
}

/** The same step, and the page follows. */
export function replacePlace(url: string): void {
  rewriteUrl(url);
  place.value = read();
}

/** Lets ordinary links of this site change the page without loading it anew. */
export function followLinks(root: HTMLElement): void {
  root.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (link === null || link.origin !== window.location.origin || link.target !== "" || link.hasAttribute("download")) return;
    if (link.pathname.startsWith("/api/")) return;
    event.preventDefault();
    navigate(link.pathname + link.search);
  });
}
