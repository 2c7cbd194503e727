// The address of a comparison.

export interface CompareView {
  readonly a: string | null;
  readonly b: string | null;
  readonly view?: "list" | "tree";
  readonly sort?: string;
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
