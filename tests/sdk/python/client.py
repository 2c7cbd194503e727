"""Sends the scenario of ../README.md with the Python SDK and prints what the SDK handed to its exporter."""

import argparse
import base64
import json
import logging
import random
import sys
import time

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.version import __version__ as sdk_version
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState, set_span_in_context

SCHEMA_URL = "https://opentelemetry.io/schemas/1.37.0"


def main() -> int:
    args = arguments()
    # The SDK warns once per value that goes over a limit, which is what the span "limits" is for.
    logging.getLogger("opentelemetry.attributes").setLevel(logging.ERROR)
    exporter = RecordingExporter(stock_exporter(args))
    provider = TracerProvider(resource=resource())
    provider.add_span_processor(BatchSpanProcessor(exporter))
    send_scenario(
        provider.get_tracer(
            "causeway.sdk", "1.2.3", SCHEMA_URL, {"scope.string": "zürich", "scope.int": 7, "scope.bool": True, "scope.doubles": [0.5, -0.0]}
        )
    )
    flushed = provider.force_flush()
    provider.shutdown()
    print(json.dumps({"language": "python", "sdk_version": sdk_version, "spans": [as_item(span) for span in exporter.spans]}))
    return 0 if flushed and exporter.succeeded else 1


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--protocol", choices=["grpc", "http/protobuf", "http/json"], required=True)
    parser.add_argument("--compression", choices=["none", "gzip"], required=True)
    return parser.parse_args()


def stock_exporter(args: argparse.Namespace) -> SpanExporter:
    # Each exporter is imported where it is used: all three define the same names.
    if args.protocol == "grpc":
        from grpc import Compression
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

        compression = Compression.Gzip if args.compression == "gzip" else Compression.NoCompression
        return OTLPSpanExporter(endpoint=args.endpoint, insecure=True, compression=compression)
    if args.protocol == "http/protobuf":
        from opentelemetry.exporter.otlp.proto.http import Compression
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    else:
        from opentelemetry.exporter.otlp.common.http import Compression
        from opentelemetry.exporter.otlp.json.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter(endpoint=f"{args.endpoint}/v1/traces", compression=Compression(args.compression))


class RecordingExporter(SpanExporter):
    """Passes every batch on to the stock exporter and keeps the spans and whether all went well."""

    def __init__(self, inner: SpanExporter):
        self.inner = inner
        self.spans = []
        self.succeeded = True

    def export(self, spans):
        self.spans.extend(spans)
        result = self.inner.export(spans)
        self.succeeded &= result is SpanExportResult.SUCCESS
        return result

    def force_flush(self, timeout_millis=30_000):
        return self.inner.force_flush(timeout_millis)

    def shutdown(self):
        self.inner.shutdown()


def resource() -> Resource:
    return Resource.create(
        {
            "service.name": "sdk-python",
            "service.version": "0.1.0",
            "sdk.string": "zürich 🚆",
            "sdk.int": 2**53 + 1,
            "sdk.bool": True,
            "sdk.double": 0.1,
            "sdk.strings": ["a", "", "ß"],
            "sdk.ints": [1, -1, 0],
            "sdk.bools": [True, False],
            "sdk.doubles": [0.5, -0.0],
        },
        SCHEMA_URL,
    )


def every_type() -> dict:
    return {
        "string": "plain",
        "string.empty": "",
        "string.unicode": "Grüße, 世界, עולם",
        "string.emoji": "👩‍🚀🚀",
        "string.control": "tab\t newline\n quote\" backslash\\ nul\0",
        "bool.true": True,
        "bool.false": False,
        "int.min": -(2**63),
        "int.max": 2**63 - 1,
        "int.zero": 0,
        "int.above_double": 2**53 + 1,
        "double.huge": 1e308,
        "double.tiny": 5e-324,
        "double.negative_zero": -0.0,
        "double.tenth": 0.1,
        "double.whole": 2.0,
        "strings": ["a", "", "🚀"],
        "strings.empty": [],
        "bools": [True, False],
        "bools.empty": [],
        "ints": [-(2**63), 0, 2**63 - 1],
        "ints.empty": [],
        "doubles": [1e308, -0.0, 0.1, 2.0],
        "doubles.empty": [],
        "bytes": bytes([0, 1, 127, 128, 255]),
        "bytes.empty": b"",
        "map": {"string": "a", "int": 1, "map": {"bytes": b"\x00\xff", "none": None}},
        "map.empty": {},
        "mixed": ["a", 1, True, 0.5, b"\x00", [1, [2]], {"key": "value"}],
        "none": None,
    }


def send_scenario(tracer) -> None:
    root = tracer.start_span("GET /checkout", kind=SpanKind.SERVER, attributes={"http.request.method": "GET", "http.route": "/checkout"})
    root.add_event("cache.miss", {"cache.key": "cart:42", "cache.size": 3})
    root.add_event("no attributes")

    call = tracer.start_span("GET stock", context=inside(root), kind=SpanKind.CLIENT, attributes={"server.port": 8080})
    call.set_status(Status(StatusCode.OK))

    served = tracer.start_span("GET /stock", context=inside(call), kind=SpanKind.SERVER)
    try:
        raise ConnectionError("stock database is unreachable ☠")
    except ConnectionError as error:
        served.record_exception(error, {"exception.retries": 2})
        served.set_status(Status(StatusCode.ERROR, "stock database is unreachable ☠"))

    leaf = tracer.start_span("every type", context=inside(served), kind=SpanKind.INTERNAL, attributes=every_type())
    leaf.add_event("every type", every_type())

    produced = tracer.start_span("orders publish", context=inside(served), kind=SpanKind.PRODUCER, attributes={"messaging.destination.name": "orders"})
    consumed = tracer.start_span(
        "orders process",
        kind=SpanKind.CONSUMER,
        links=[Link(produced.get_span_context(), every_type()), Link(remote_context("vendor=link,other=1"))],
    )

    continued = tracer.start_span("GET /remote", context=set_span_in_context(NonRecordingSpan(remote_context("vendor=a:b,other=t61rcWkgMzE"))), kind=SpanKind.SERVER)

    start = time.time_ns() // 10**9 * 10**9 - 5 * 10**9 + 123_456_789
    timed = tracer.start_span("explicit times", context=inside(root), start_time=start)
    timed.add_event("one nanosecond in", {"explicit": True}, timestamp=start + 1)

    limits = tracer.start_span("limits", context=inside(root), links=[Link(produced.get_span_context(), {"index": i}) for i in range(130)])
    for i in range(130):
        limits.set_attribute(f"key.{i}", i)
        limits.add_event("tick", {"index": i})

    timed.end(end_time=start + 1_000_000_001)
    for span in (limits, continued, consumed, produced, leaf, served, call, root):
        span.end()


def inside(span):
    return set_span_in_context(span)


def remote_context(trace_state: str) -> SpanContext:
    return SpanContext(
        trace_id=random.getrandbits(128) or 1,
        span_id=random.getrandbits(64) or 1,
        is_remote=True,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
        trace_state=TraceState.from_header([trace_state]),
    )


def as_item(span) -> dict:
    scope = span.instrumentation_scope
    return {
        "resource": {"attributes": key_values(span.resource.attributes)},
        "resourceSchemaUrl": span.resource.schema_url,
        "scope": {"name": scope.name, "version": scope.version, "attributes": key_values(scope.attributes)},
        "scopeSchemaUrl": scope.schema_url,
        "span": as_span(span),
    }


def as_span(span) -> dict:
    return {
        "traceId": f"{span.context.trace_id:032x}",
        "spanId": f"{span.context.span_id:016x}",
        "parentSpanId": f"{span.parent.span_id:016x}" if span.parent else "",
        "traceState": span.context.trace_state.to_header(),
        "flags": flags(span.parent),
        "name": span.name,
        "kind": span.kind.value + 1,
        "startTimeUnixNano": str(span.start_time),
        "endTimeUnixNano": str(span.end_time),
        "attributes": key_values(span.attributes),
        "droppedAttributesCount": span.dropped_attributes,
        "events": [as_event(event) for event in span.events],
        "droppedEventsCount": span.dropped_events,
        "links": [as_link(link) for link in span.links],
        "droppedLinksCount": span.dropped_links,
        "status": {"code": span.status.status_code.value, "message": span.status.description or ""},
    }


def as_event(event) -> dict:
    return {
        "timeUnixNano": str(event.timestamp),
        "name": event.name,
        "attributes": key_values(event.attributes),
        "droppedAttributesCount": event.dropped_attributes,
    }


def as_link(link) -> dict:
    # No traceState: the stock exporters leave it out.
    return {
        "traceId": f"{link.context.trace_id:032x}",
        "spanId": f"{link.context.span_id:016x}",
        "attributes": key_values(link.attributes),
        "droppedAttributesCount": link.dropped_attributes,
        "flags": flags(link.context),
    }


def flags(context) -> int:
    # Only the two "is remote" bits: the stock exporters leave out the W3C trace flags.
    return 0x300 if context is not None and context.is_remote else 0x100


def key_values(attributes) -> list:
    return [{"key": key, "value": any_value(value)} for key, value in (attributes or {}).items()]


def any_value(value) -> dict:
    match value:
        case None:
            return {}
        case bool():
            return {"boolValue": value}
        case str():
            return {"stringValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case bytes():
            return {"bytesValue": base64.b64encode(value).decode()}
        case dict():
            return {"kvlistValue": {"values": key_values(value)}}
        case _:
            return {"arrayValue": {"values": [any_value(item) for item in value]}}


if __name__ == "__main__":
    sys.exit(main())
