// The search as one line: `service:cart name:"GET /" error duration>100ms http.route=/cart`. The line and the
// form say the same thing: parseTerms turns the line into the form's value, termsText back.
import { TRACE_DETECTORS } from "./detectors.ts";
import { EMPTY_QUERY, type SearchQuery, type SpanStatus } from "./search_query.ts";
import { parseDuration } from "../base/units.ts";

/** The part of a query that the line speaks about; time, order and page stay as they are. */
export type Terms = Pick<SearchQuery, "service" | "operation" | "attributes" | "status" | "minDuration" | "maxDuration" | "finding">;

export const NO_TERMS: Terms = {
  service: EMPTY_QUERY.service, operation: EMPTY_QUERY.operation, attributes: [], status: EMPTY_QUERY.status,
  minDuration: EMPTY_QUERY.minDuration, maxDuration: EMPTY_QUERY.maxDuration, finding: EMPTY_QUERY.finding,
};

export interface ParsedTerms {
  readonly terms: Terms;
  /** What could not be understood, in words; the rest is still right. */
  readonly problems: readonly string[];
  /** The line was nothing but a trace id. */
  readonly traceId: string | null;
}

const STATUSES: readonly string[] = ["ok", "error", "unset"];

interface Piece {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

function piecesOf(line: string): Piece[] {
  return [...line.matchAll(/(?:[^\s"]+|"[^"]*"?)+/g)].map((match) => ({ text: match[0], start: match.index, end: match.index + match[0].length }));
}

const unquoted = (text: string): string => text.replaceAll('"', "");
const quoted = (text: string): string => (/[\s"]/.test(text) || text === "" ? `"${text.replaceAll('"', "")}"` : text);

export function parseTerms(line: string): ParsedTerms {
  const bare = line.trim().toLowerCase();
  if (/^[0-9a-f]{32}$/.test(bare)) return { terms: NO_TERMS, problems: [], traceId: bare };
  const terms: { -readonly [K in keyof Terms]: Terms[K] } = { ...NO_TERMS };
  const attributes: string[] = [];
  const problems: string[] = [];
  for (const { text } of piecesOf(line)) {
    const [, field = "", operator = "", raw = ""] = /^([^:=<>"]+)(:|=|>=?|<=?)(.*)$/s.exec(text) ?? [];
    const value = unquoted(raw);
    const name = field.toLowerCase();
    if (operator === "") {
      if (STATUSES.includes(text.toLowerCase())) terms.status = text.toLowerCase() as SpanStatus;
      else problems.push(`“${unquoted(text)}” is no term: write service:${unquoted(text)}, name:${unquoted(text)} or key=value`);
    } else if (name === "duration") {
      if (parseDuration(value) === null || operator === ":" || operator === "=") problems.push(`“${text}”: write duration>100ms or duration<2s`);
      else if (operator.startsWith(">")) terms.minDuration = value;
      else terms.maxDuration = value;
    } else if (operator.startsWith(">") || operator.startsWith("<")) {
      problems.push(`“${text}”: only duration can be compared`);
    } else if (name === "service" || name === "service.name") {
      terms.service = value;
    } else if (name === "name" || name === "operation") {
      terms.operation = value;
    } else if (name === "finding") {
      terms.finding = value;
    } else if (name === "status") {
      if (STATUSES.includes(value.toLowerCase())) terms.status = value.toLowerCase() as SpanStatus;
      else problems.push(`“${text}”: status is ok, error or unset`);
    } else {
      attributes.push(`${field.replace(/^@/, "")}=${value}`);
    }
  }
  return { terms: { ...terms, attributes }, problems, traceId: null };
}

export function termsText(terms: Terms): string {
  const parts: string[] = [];
  if (terms.service !== "") parts.push(`service:${quoted(terms.service)}`);
  if (terms.operation !== "") parts.push(`name:${quoted(terms.operation)}`);
  if (terms.status !== "") parts.push(terms.status);
  if (terms.minDuration !== "") parts.push(`duration>${terms.minDuration.replaceAll(" ", "")}`);
  if (terms.maxDuration !== "") parts.push(`duration<${terms.maxDuration.replaceAll(" ", "")}`);
  if (terms.finding !== "") parts.push(`finding:${quoted(terms.finding)}`);
  for (const attribute of terms.attributes) {
    const at = attribute.indexOf("=");
    const name = attribute.slice(0, at);
    parts.push(`${name === "finding" ? "@" : ""}${name}=${quoted(attribute.slice(at + 1))}`);
  }
  return parts.join(" ");
}

export interface TermNames {
  readonly services: readonly string[];
  readonly operations: readonly string[];
  readonly keys: readonly string[];
  /** Values of the key being written. */
  readonly values: readonly string[];
}

export interface TermSuggestion {
  /** The whole term as it will stand in the line. */
  readonly text: string;
  readonly detail: string;
  /** More must follow, so the suggestions stay open. */
  readonly more: boolean;
}

export interface TermSuggestions {
  readonly start: number;
  readonly end: number;
  readonly items: readonly TermSuggestion[];
}

const TERM_SUGGESTIONS_MAX = 30;

const STARTS: readonly TermSuggestion[] = [
  { text: "service:", detail: "spans of a service", more: true },
  { text: "name:", detail: "an operation, exactly", more: true },
  { text: "error", detail: "any span failed", more: false },
  { text: "duration>", detail: "longer than, like duration>100ms", more: true },
  { text: "duration<", detail: "shorter than", more: true },
  { text: "finding:", detail: "something was found, like N+1 calls", more: true },
  { text: "status:ok", detail: "any span says ok", more: false },
];

/** The term around the cursor: its field and what is typed of its value. */
export function termAt(line: string, cursor: number): { readonly piece: Piece; readonly field: string; readonly value: string } {
  const piece = piecesOf(line).find((one) => one.start <= cursor && cursor <= one.end) ?? { text: "", start: cursor, end: cursor };
  const typed = line.slice(piece.start, cursor);
  const [, field = "", value = ""] = /^([^:=<>"]+)(?::|=)(.*)$/s.exec(typed) ?? [];
  return { piece, field, value: field === "" ? typed : unquoted(value) };
}

export function suggestTerms(line: string, cursor: number, names: TermNames): TermSuggestions {
  const { piece, field, value } = termAt(line, cursor);
  const wanted = value.toLowerCase();
  const fitting = (texts: readonly string[]): string[] => {
    const fit = texts.filter((text) => text.toLowerCase().includes(wanted));
    return fit.sort((a, b) => Number(b.toLowerCase().startsWith(wanted)) - Number(a.toLowerCase().startsWith(wanted)));
  };
  const of = (prefix: string, texts: readonly string[], detail: string): TermSuggestion[] => fitting(texts).map((text) => ({ text: `${prefix}${quoted(text)}`, detail, more: false }));
  let items: TermSuggestion[];
  switch (field.toLowerCase()) {
    case "":
      items = [
        ...STARTS.filter((one) => one.text.startsWith(wanted)),
        ...(wanted === "" ? [] : of("service:", names.services, "service")),
        ...fitting(names.keys).map((key): TermSuggestion => ({ text: `${key}=`, detail: "attribute", more: true })),
      ];
      break;
    case "service":
      items = of("service:", names.services, "service");
      break;
    case "name":
    case "operation":
      items = of("name:", names.operations, "operation");
      break;
    case "status":
      items = of("status:", STATUSES, "");
      break;
    case "finding":
      items = [{ id: "*", label: "any finding" }, ...TRACE_DETECTORS].filter(({ id, label }) => `${id} ${label.toLowerCase()}`.includes(wanted))
        .map(({ id, label }): TermSuggestion => ({ text: `finding:${id}`, detail: label, more: false }));
      break;
    default:
      items = of(`${field}=`, names.values, "value");
  }
  const whole = line.slice(piece.start, piece.end);
  const useful = items.filter((one) => one.text !== whole);
  return { start: piece.start, end: piece.end, items: useful.slice(0, TERM_SUGGESTIONS_MAX) };
}
