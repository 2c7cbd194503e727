// Which groups of findings are shown: the address of the page and the question to the server, in the same words.

export interface FindingsQuery {
  readonly fallacy: string;
  readonly service: string;
  readonly severity: string;
  readonly detector: string;
  /** Relative as in `-1h`, or a time; empty = all that is known. */
  readonly start: string;
  /** What people decided. */
  readonly state: string;
}

export const EMPTY_FINDINGS_QUERY: FindingsQuery = { fallacy: "", service: "", severity: "", detector: "", start: "", state: "" };
const KEYS = ["fallacy", "service", "severity", "detector", "start", "state"] as const;

export const SINCE_CHOICES = [
  { value: "", label: "Any time" },
  { value: "-15m", label: "Last 15 minutes" },
  { value: "-1h", label: "Last hour" },
  { value: "-24h", label: "Last 24 hours" },
  { value: "-168h", label: "Last 7 days" },
] as const;

export function parseFindingsQuery(params: URLSearchParams): FindingsQuery {
  return Object.fromEntries(KEYS.map((key) => [key, params.get(key) ?? ""])) as Record<(typeof KEYS)[number], string>;
}

/** The question to the server, and what the address has of it. */
export function findingsParams(query: FindingsQuery): URLSearchParams {
  return new URLSearchParams(KEYS.filter((key) => query[key] !== "").map((key) => [key, query[key]]));
}

export function findingsUrl(query: FindingsQuery): string {
  const params = findingsParams(query).toString();
  return `/findings${params === "" ? "" : `?${params}`}`;
}

/** What the overview and the choices of the filters are drawn from: everything of the time. */
export const overviewOf = (query: FindingsQuery): FindingsQuery => ({ ...EMPTY_FINDINGS_QUERY, start: query.start });

export const isNarrowed = (query: FindingsQuery): boolean => KEYS.some((key) => key !== "start" && query[key] !== "");
