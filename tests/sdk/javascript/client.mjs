// Sends the scenario of ../README.md with the JavaScript SDK and prints what the SDK handed to its exporter.

import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, createTraceState, trace } from "@opentelemetry/api";
import { ExportResultCode } from "@opentelemetry/core";
import { OTLPTraceExporter as GrpcExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import { OTLPTraceExporter as JsonExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as ProtobufExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { CompressionAlgorithm } from "@opentelemetry/otlp-exporter-base";
import { defaultResource, resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";

const SCHEMA_URL = "https://opentelemetry.io/schemas/1.37.0";

async function main() {
  const exporter = new RecordingExporter(stockExporter(commandLine()));
  const provider = new TracerProvider({
    resource: resource(),
    spanProcessors: [new BatchSpanProcessor({ exporter })],
  });
  // The API has no attributes for an instrumentation scope.
  sendScenario(provider.getTracer("causeway.sdk", "1.2.3", { schemaUrl: SCHEMA_URL }));
  await provider.forceFlush();
  await provider.shutdown();
  const version = defaultResource().attributes["telemetry.sdk.version"];
  console.log(JSON.stringify({ language: "javascript", sdk_version: version, spans: exporter.spans.map(asItem) }));
  return exporter.succeeded ? 0 : 1;
}

function commandLine() {
  const text = { type: "string" };
  return parseArgs({ options: { endpoint: text, protocol: text, compression: text } }).values;
}

function stockExporter({ endpoint, protocol, compression }) {
  const options = { compression: compression === "gzip" ? CompressionAlgorithm.GZIP : CompressionAlgorithm.NONE };
  switch (protocol) {
    case "grpc":
      return new GrpcExporter({ url: endpoint, ...options });
    case "http/protobuf":
      return new ProtobufExporter({ url: `${endpoint}/v1/traces`, ...options });
    case "http/json":
      return new JsonExporter({ url: `${endpoint}/v1/traces`, ...options });
    default:
      throw new Error(`unknown protocol ${protocol}`);
  }
}

/** Passes every batch on to the stock exporter and keeps the spans and whether all went well. */
class RecordingExporter {
  spans = [];
  succeeded = true;

  constructor(inner) {
    this.inner = inner;
  }

  export(spans, done) {
    this.spans.push(...spans);
    this.inner.export(spans, (result) => {
      this.succeeded &&= result.code === ExportResultCode.SUCCESS;
      done(result);
    });
  }

  forceFlush() {
    return this.inner.forceFlush();
  }

  shutdown() {
    return this.inner.shutdown();
  }
}

function resource() {
  const own = {
    "service.name": "sdk-javascript",
    "service.version": "0.1.0",
    "sdk.string": "zürich 🚆",
    "sdk.int": Number.MAX_SAFE_INTEGER,
    "sdk.bool": true,
    "sdk.double": 0.1,
    "sdk.strings": ["a", "", "ß"],
    "sdk.ints": [1, -1, 0],
    "sdk.bools": [true, false],
    "sdk.doubles": [0.5, 1.5],
  };
  return defaultResource().merge(resourceFromAttributes(own, { schemaUrl: SCHEMA_URL }));
}

function everyType() {
  return {
    string: "plain",
    "string.empty": "",
    "string.unicode": "Grüße, 世界, עולם",
    "string.emoji": "👩‍🚀🚀",
    "string.control": "tab\t newline\n quote\" backslash\\ nul\0",
    "bool.true": true,
    "bool.false": false,
    "int.min": -(2 ** 63), // a power of two, so that a number holds it exactly
    "int.max": Number.MAX_SAFE_INTEGER,
    "int.zero": 0,
    "double.huge": 1e308,
    "double.tiny": 5e-324,
    "double.negative_zero": -0,
    "double.tenth": 0.1,
    "double.whole": 2.0,
    strings: ["a", "", "🚀"],
    "strings.empty": [],
    bools: [true, false],
    "bools.empty": [],
    ints: [Number.MIN_SAFE_INTEGER, 0, Number.MAX_SAFE_INTEGER],
    "ints.empty": [],
    doubles: [1e308, -0, 0.1, 2.0],
    "doubles.empty": [],
    bytes: Uint8Array.of(0, 1, 127, 128, 255),
    "bytes.empty": new Uint8Array(),
    map: { string: "a", int: 1, map: { bytes: Uint8Array.of(0, 255), none: null } },
    "map.empty": {},
    mixed: ["a", 1, true, 0.5, Uint8Array.of(0), [1, [2]], { key: "value" }],
    none: null,
  };
}

function sendScenario(tracer) {
  const root = tracer.startSpan(
    "GET /checkout",
    { kind: SpanKind.SERVER, attributes: { "http.request.method": "GET", "http.route": "/checkout" } },
    ROOT_CONTEXT,
  );
  root.addEvent("cache.miss", { "cache.key": "cart:42", "cache.size": 3 });
  root.addEvent("no attributes");

  const call = tracer.startSpan("GET stock", { kind: SpanKind.CLIENT, attributes: { "server.port": 8080 } }, inside(root));
  call.setStatus({ code: SpanStatusCode.OK });

  const served = tracer.startSpan("GET /stock", { kind: SpanKind.SERVER }, inside(call));
  served.recordException(new TypeError("stock database is unreachable ☠"));
  served.setStatus({ code: SpanStatusCode.ERROR, message: "stock database is unreachable ☠" });

  const leaf = tracer.startSpan("every type", { kind: SpanKind.INTERNAL, attributes: everyType() }, inside(served));
  leaf.addEvent("every type", everyType());

  const produced = tracer.startSpan(
    "orders publish",
    { kind: SpanKind.PRODUCER, attributes: { "messaging.destination.name": "orders" } },
    inside(served),
  );
  const links = [
    { context: produced.spanContext(), attributes: everyType() },
    { context: remoteContext("vendor=link,other=1") },
  ];
  const consumed = tracer.startSpan("orders process", { kind: SpanKind.CONSUMER, links }, ROOT_CONTEXT);

  const remote = trace.setSpanContext(ROOT_CONTEXT, remoteContext("vendor=a:b,other=t61rcWkgMzE"));
  const continued = tracer.startSpan("GET /remote", { kind: SpanKind.SERVER }, remote);

  const seconds = Math.floor(Date.now() / 1000) - 5;
  const timed = tracer.startSpan("explicit times", { startTime: [seconds, 123_456_789] }, inside(root));
  timed.addEvent("one nanosecond in", { explicit: true }, [seconds, 123_456_790]);

  const limits = tracer.startSpan("limits", {}, inside(root));
  for (let i = 0; i < 130; i++) {
    limits.setAttribute(`key.${i}`, i);
    limits.addEvent("tick", { index: i });
    limits.addLink({ context: produced.spanContext(), attributes: { index: i } });
  }

  timed.end([seconds + 1, 123_456_790]);
  for (const span of [limits, continued, consumed, produced, leaf, served, call, root]) {
    span.end();
  }
}

function inside(span) {
  return trace.setSpan(ROOT_CONTEXT, span);
}

function remoteContext(traceState) {
  return {
    traceId: randomBytes(16).toString("hex"),
    spanId: randomBytes(8).toString("hex"),
    isRemote: true,
    traceFlags: TraceFlags.SAMPLED,
    traceState: createTraceState(traceState),
  };
}

function asItem(span) {
  const { name, version, schemaUrl, attributes } = span.instrumentationScope;
  return {
    resource: { attributes: keyValues(span.resource.attributes) },
    resourceSchemaUrl: span.resource.schemaUrl ?? "",
    scope: { name, version: version ?? "", attributes: keyValues(attributes) },
    scopeSchemaUrl: schemaUrl ?? "",
    span: asSpan(span),
  };
}

function asSpan(span) {
  const context = span.spanContext();
  return {
    traceId: context.traceId,
    spanId: context.spanId,
    parentSpanId: span.parentSpanContext?.spanId ?? "",
    traceState: context.traceState?.serialize() ?? "",
    flags: flags(context.traceFlags, span.parentSpanContext),
    name: span.name,
    kind: span.kind + 1,
    startTimeUnixNano: nanoseconds(span.startTime),
    endTimeUnixNano: nanoseconds(span.endTime),
    attributes: keyValues(span.attributes),
    droppedAttributesCount: span.droppedAttributesCount,
    events: span.events.map(asEvent),
    droppedEventsCount: span.droppedEventsCount,
    links: span.links.map(asLink),
    droppedLinksCount: span.droppedLinksCount,
    status: { code: span.status.code, message: span.status.message ?? "" },
  };
}

function asEvent(event) {
  return {
    timeUnixNano: nanoseconds(event.time),
    name: event.name,
    attributes: keyValues(event.attributes),
    droppedAttributesCount: event.droppedAttributesCount ?? 0,
  };
}

function asLink({ context, attributes, droppedAttributesCount }) {
  return {
    traceId: context.traceId,
    spanId: context.spanId,
    traceState: context.traceState?.serialize() ?? "",
    attributes: keyValues(attributes),
    droppedAttributesCount: droppedAttributesCount ?? 0,
    flags: flags(context.traceFlags, context),
  };
}

function flags(traceFlags, context) {
  return traceFlags | (context?.isRemote ? 0x300 : 0x100);
}

function nanoseconds([seconds, rest]) {
  return String(BigInt(seconds) * 1_000_000_000n + BigInt(rest));
}

function keyValues(attributes) {
  return Object.entries(attributes ?? {}).map(([key, value]) => ({ key, value: anyValue(value) }));
}

function anyValue(value) {
  switch (typeof value) {
    case "string":
      return { stringValue: value };
    case "boolean":
      return { boolValue: value };
    case "number":
      return anyNumber(value);
  }
  if (value instanceof Uint8Array) return { bytesValue: Buffer.from(value).toString("base64") };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(anyValue) } };
  return value === null || value === undefined ? {} : { kvlistValue: { values: keyValues(value) } };
}

// JavaScript has one number type: the exporters send every whole number that fits as an integer.
function anyNumber(value) {
  const whole = Number.isInteger(value) && value >= -(2 ** 63) && value < 2 ** 63;
  return whole ? { intValue: String(BigInt(value)) } : { doubleValue: value };
}

process.exitCode = await main();
