// The address of a comparison: of two traces, or of two cohorts.
import { sideText, type CohortSide } from "../../model/cohorts.ts";

export interface CompareView {
  readonly a: string | null;
  readonly b: string | null;
  readonly view?: "list" | "tree";
  readonly sort?: string;
}

/** Two cohorts of an operation; a side that is null is not chosen yet. */
export interface CohortView {
  readonly service: string;
  readonly operation: string;
  readonly x: CohortSide | null;
  readonly y: CohortSide | null;
}

export function cohortUrl({ service, operation, x, y }: CohortView): string {
  const params = new URLSearchParams({ view: "cohorts" });
  if (service !== "") params.set("service", service);
  if (operation !== "") params.set("operation", operation);
  if (x !== null) params.set("x", sideText(x));
  if (y !== null) params.set("y", sideText(y));
  return `/compare?${params.toString()}`;
}

export function traceIdOr(text: string | null): string | null {
  const id = (text ?? "").trim().toLowerCase().replaceAll("-", "");
  return /^[0-9a-f]{1,32}$/.test(id) ? id.padStart(32, "0") : null;
}

export function compareUrl({ a, b, view = "list", sort = "" }: CompareView): string {
  const params = new URLSearchParams();
  if (a !== null) params.set("a", a);
  if (b !== null) params.set("b", b);
  if (view === "tree") params.set("view", view);
  if (sort !== "") params.set("sort", sort);
  return params.size === 0 ? "/compare" : `/compare?${params.toString()}`;
}
