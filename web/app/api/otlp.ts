// OTLP/JSON as a sender may have written it. Unlike our own API this is other people's data, so reading
// is lenient: a field of the wrong shape is shown as text instead of failing the whole span.
import { asObject, listOf, type Json } from "./decode.ts";

export interface AttributeValue {
  /** string, bool, int, double, bytes, array, map or empty. */
  readonly type: string;
  /** One line for scalars; indented lines for arrays and maps. */
  readonly text: string;
}

export interface Attribute extends AttributeValue {
  readonly key: string;
}

export interface SpanEvent {
  readonly name: string;
  readonly timeUnixNano: string;
  readonly attributes: readonly Attribute[];
  readonly dropped: number;
}

export interface SpanLink {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceState: string;
  readonly attributes: readonly Attribute[];
  readonly dropped: number;
}

export interface OtlpSpan {
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly traceState: string;
  readonly flags: number | null;
  readonly name: string;
  readonly startUnixNano: string;
  readonly endUnixNano: string;
  readonly statusMessage: string;
  readonly attributes: readonly Attribute[];
  readonly droppedAttributes: number;
  readonly events: readonly SpanEvent[];
  readonly droppedEvents: number;
  readonly links: readonly SpanLink[];
  readonly droppedLinks: number;
  readonly resource: readonly Attribute[];
  readonly resourceSchemaUrl: string;
  readonly scopeName: string;
  readonly scopeVersion: string;
  readonly scope: readonly Attribute[];
  readonly scopeSchemaUrl: string;
}

const objectOr = (value: unknown): Json => (typeof value === "object" && value !== null ? (value as Json) : {});
const textOf = (value: unknown): string => (value === undefined || value === null ? "" : String(value));
const countOf = (value: unknown): number => Number(value ?? 0) || 0;
const items = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

function valueOf(value: unknown, indent = ""): AttributeValue {
  const json = objectOr(value);
  if ("stringValue" in json) return { type: "string", text: textOf(json["stringValue"]) };
  if ("boolValue" in json) return { type: "bool", text: textOf(json["boolValue"]) };
  if ("intValue" in json) return { type: "int", text: textOf(json["intValue"]) };
  if ("doubleValue" in json) return { type: "double", text: textOf(json["doubleValue"]) };
  if ("bytesValue" in json) return { type: "bytes", text: textOf(json["bytesValue"]) };
  if ("arrayValue" in json) {
    const inner = items(objectOr(json["arrayValue"])["values"]).map((one) => nested(one, `${indent}  `));
    return { type: "array", text: bracketed("[", inner, "]", indent) };
  }
  if ("kvlistValue" in json) {
    const inner = items(objectOr(json["kvlistValue"])["values"]).map((one) => {
      const pair = objectOr(one);
      return `${JSON.stringify(textOf(pair["key"]))}: ${nested(pair["value"], `${indent}  `)}`;
    });
    return { type: "map", text: bracketed("{", inner, "}", indent) };
  }
  return { type: "empty", text: "" };
}

function nested(value: unknown, indent: string): string {
  const { type, text } = valueOf(value, indent);
  return type === "string" || type === "bytes" ? JSON.stringify(text) : type === "empty" ? "null" : text;
}

function bracketed(open: string, inner: readonly string[], close: string, indent: string): string {
  if (inner.length === 0) return open + close;
  const oneLine = `${open}${inner.join(", ")}${close}`;
  if (oneLine.length <= 60 && !oneLine.includes("\n")) return oneLine;
  return `${open}\n${inner.map((one) => `${indent}  ${one}`).join(",\n")}\n${indent}${close}`;
}

function attributesOf(value: unknown): Attribute[] {
  return items(value).map((one) => {
    const pair = objectOr(one);
    return { key: textOf(pair["key"]), ...valueOf(pair["value"]) };
  });
}

function spanOf(value: unknown, group: Json, scopeGroup: Json): OtlpSpan {
  const span = objectOr(value);
  const scope = objectOr(scopeGroup["scope"]);
  return {
    spanId: textOf(span["spanId"]),
    parentSpanId: textOf(span["parentSpanId"]),
    traceState: textOf(span["traceState"]),
    flags: span["flags"] === undefined ? null : countOf(span["flags"]),
    name: textOf(span["name"]),
    startUnixNano: textOf(span["startTimeUnixNano"]),
    endUnixNano: textOf(span["endTimeUnixNano"]),
    statusMessage: textOf(objectOr(span["status"])["message"]),
    attributes: attributesOf(span["attributes"]),
    droppedAttributes: countOf(span["droppedAttributesCount"]),
    events: items(span["events"]).map(eventOf),
    droppedEvents: countOf(span["droppedEventsCount"]),
    links: items(span["links"]).map(linkOf),
    droppedLinks: countOf(span["droppedLinksCount"]),
    resource: attributesOf(objectOr(group["resource"])["attributes"]),
    resourceSchemaUrl: textOf(group["schemaUrl"]),
    scopeName: textOf(scope["name"]),
    scopeVersion: textOf(scope["version"]),
    scope: attributesOf(scope["attributes"]),
    scopeSchemaUrl: textOf(scopeGroup["schemaUrl"]),
  };
}

function eventOf(value: unknown): SpanEvent {
  const event = objectOr(value);
  return {
    name: textOf(event["name"]),
    timeUnixNano: textOf(event["timeUnixNano"]),
    attributes: attributesOf(event["attributes"]),
    dropped: countOf(event["droppedAttributesCount"]),
  };
}

function linkOf(value: unknown): SpanLink {
  const link = objectOr(value);
  return {
    traceId: textOf(link["traceId"]),
    spanId: textOf(link["spanId"]),
    traceState: textOf(link["traceState"]),
    attributes: attributesOf(link["attributes"]),
    dropped: countOf(link["droppedAttributesCount"]),
  };
}

/** Every span of an OTLP/JSON answer, each with its resource and scope. */
export function decodeOtlpSpans(value: unknown): OtlpSpan[] {
  const groups = listOf(asObject(value, "answer")["resourceSpans"], "resourceSpans", asObject);
  return groups.flatMap((group) =>
    items(group["scopeSpans"]).flatMap((scopeGroup) =>
      items(objectOr(scopeGroup)["spans"]).map((span) => spanOf(span, group, objectOr(scopeGroup))),
    ),
  );
}
