package causeway.sdk;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.KeyValue;
import io.opentelemetry.api.common.Value;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceState;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.trace.IdGenerator;
import java.net.ConnectException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;

/** The spans of ../README.md. */
final class Scenario {
  static Attributes resource() {
    return Attributes.builder()
        .put("service.name", "sdk-java")
        .put("service.version", "0.1.0")
        .put("sdk.string", "zürich 🚆")
        .put("sdk.int", (1L << 53) + 1)
        .put("sdk.bool", true)
        .put("sdk.double", 0.1)
        .put("sdk.strings", "a", "", "ß")
        .put("sdk.ints", 1, -1, 0)
        .put("sdk.bools", true, false)
        .put("sdk.doubles", 0.5, -0.0)
        .build();
  }

  static void send(Tracer tracer) {
    Span root =
        tracer
            .spanBuilder("GET /checkout")
            .setNoParent()
            .setSpanKind(SpanKind.SERVER)
            .setAttribute("http.request.method", "GET")
            .setAttribute("http.route", "/checkout")
            .startSpan();
    root.addEvent("cache.miss", Attributes.builder().put("cache.key", "cart:42").put("cache.size", 3).build());
    root.addEvent("no attributes");

    Span call =
        tracer
            .spanBuilder("GET stock")
            .setParent(inside(root))
            .setSpanKind(SpanKind.CLIENT)
            .setAttribute("server.port", 8080)
            .startSpan();
    call.setStatus(StatusCode.OK);

    Span served =
        tracer.spanBuilder("GET /stock").setParent(inside(call)).setSpanKind(SpanKind.SERVER).startSpan();
    served.recordException(
        new ConnectException("stock database is unreachable ☠"),
        Attributes.builder().put("exception.retries", 2).build());
    served.setStatus(StatusCode.ERROR, "stock database is unreachable ☠");

    Span leaf =
        tracer
            .spanBuilder("every type")
            .setParent(inside(served))
            .setSpanKind(SpanKind.INTERNAL)
            .setAllAttributes(everyType())
            .startSpan();
    leaf.addEvent("every type", everyType());

    Span produced =
        tracer
            .spanBuilder("orders publish")
            .setParent(inside(served))
            .setSpanKind(SpanKind.PRODUCER)
            .setAttribute("messaging.destination.name", "orders")
            .startSpan();
    Span consumed =
        tracer
            .spanBuilder("orders process")
            .setNoParent()
            .setSpanKind(SpanKind.CONSUMER)
            .addLink(produced.getSpanContext(), everyType())
            .addLink(remoteContext(TraceState.builder().put("other", "1").put("vendor", "link").build()))
            .startSpan();

    SpanContext remote =
        remoteContext(TraceState.builder().put("other", "t61rcWkgMzE").put("vendor", "a:b").build());
    Span continued =
        tracer
            .spanBuilder("GET /remote")
            .setParent(Context.root().with(Span.wrap(remote)))
            .setSpanKind(SpanKind.SERVER)
            .startSpan();

    Instant start = Instant.now().truncatedTo(ChronoUnit.SECONDS).minusSeconds(5).plusNanos(123_456_789);
    Span timed =
        tracer.spanBuilder("explicit times").setParent(inside(root)).setStartTimestamp(start).startSpan();
    timed.addEvent("one nanosecond in", Attributes.builder().put("explicit", true).build(), start.plusNanos(1));

    Span limits = tracer.spanBuilder("limits").setParent(inside(root)).startSpan();
    for (int i = 0; i < 130; i++) {
      Attributes index = Attributes.builder().put("index", i).build();
      limits.setAttribute("key." + i, i);
      limits.addEvent("tick", index);
      limits.addLink(produced.getSpanContext(), index);
    }

    timed.end(start.plusNanos(1_000_000_001));
    List.of(limits, continued, consumed, produced, leaf, served, call, root).forEach(Span::end);
  }

  private static Attributes everyType() {
    return Attributes.builder()
        .put("string", "plain")
        .put("string.empty", "")
        .put("string.unicode", "Grüße, 世界, עולם")
        .put("string.emoji", "👩‍🚀🚀")
        .put("string.control", "tab\t newline\n quote\" backslash\\ nul\0")
        .put("bool.true", true)
        .put("bool.false", false)
        .put("int.min", Long.MIN_VALUE)
        .put("int.max", Long.MAX_VALUE)
        .put("int.zero", 0)
        .put("int.above_double", (1L << 53) + 1)
        .put("double.huge", 1e308)
        .put("double.tiny", Double.MIN_VALUE)
        .put("double.negative_zero", -0.0)
        .put("double.tenth", 0.1)
        .put("double.whole", 2.0)
        .put("strings", "a", "", "🚀")
        .put(AttributeKey.stringArrayKey("strings.empty"), List.of())
        .put("bools", true, false)
        .put(AttributeKey.booleanArrayKey("bools.empty"), List.of())
        .put("ints", Long.MIN_VALUE, 0, Long.MAX_VALUE)
        .put(AttributeKey.longArrayKey("ints.empty"), List.of())
        .put("doubles", 1e308, -0.0, 0.1, 2.0)
        .put(AttributeKey.doubleArrayKey("doubles.empty"), List.of())
        .put("bytes", Value.of(new byte[] {0, 1, 127, (byte) 128, (byte) 255}))
        .put("bytes.empty", Value.of(new byte[0]))
        .put(
            "map",
            Value.of(
                KeyValue.of("string", Value.of("a")),
                KeyValue.of("int", Value.of(1)),
                KeyValue.of(
                    "map",
                    Value.of(
                        KeyValue.of("bytes", Value.of(new byte[] {0, (byte) 255})),
                        KeyValue.of("none", Value.empty())))))
        .put("map.empty", Value.of(new KeyValue[0]))
        .put(
            "mixed",
            Value.of(
                Value.of("a"),
                Value.of(1),
                Value.of(true),
                Value.of(0.5),
                Value.of(new byte[] {0}),
                Value.of(Value.of(1), Value.of(List.<Value<?>>of(Value.of(2)))),
                Value.of(KeyValue.of("key", Value.of("value")))))
        .put("none", Value.empty())
        .build();
  }

  private static Context inside(Span span) {
    return Context.root().with(span);
  }

  private static SpanContext remoteContext(TraceState traceState) {
    IdGenerator ids = IdGenerator.random();
    return SpanContext.createFromRemoteParent(
        ids.generateTraceId(), ids.generateSpanId(), TraceFlags.getSampled(), traceState);
  }

  private Scenario() {}
}
