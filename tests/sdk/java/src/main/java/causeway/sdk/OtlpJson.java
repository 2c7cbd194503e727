package causeway.sdk;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.KeyValue;
import io.opentelemetry.api.common.Value;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.TraceState;
import io.opentelemetry.sdk.common.InstrumentationScopeInfo;
import io.opentelemetry.sdk.trace.data.EventData;
import io.opentelemetry.sdk.trace.data.LinkData;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.data.StatusData;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;

/** Turns the SDK's spans into OTLP/JSON, as maps and lists. */
final class OtlpJson {
  static Map<String, Object> item(SpanData span) {
    InstrumentationScopeInfo scope = span.getInstrumentationScopeInfo();
    return Map.of(
        "resource", Map.of("attributes", keyValues(span.getResource().getAttributes())),
        "resourceSchemaUrl", orEmpty(span.getResource().getSchemaUrl()),
        "scope",
            Map.of(
                "name", scope.getName(),
                "version", orEmpty(scope.getVersion()),
                "attributes", keyValues(scope.getAttributes())),
        "scopeSchemaUrl", orEmpty(scope.getSchemaUrl()),
        "span", span(span));
  }

  private static Map<String, Object> span(SpanData span) {
    SpanContext parent = span.getParentSpanContext();
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("traceId", span.getTraceId());
    json.put("spanId", span.getSpanId());
    json.put("parentSpanId", parent.isValid() ? parent.getSpanId() : "");
    json.put("traceState", traceState(span.getSpanContext().getTraceState()));
    json.put("flags", flags(span.getSpanContext(), parent));
    json.put("name", span.getName());
    json.put("kind", kind(span.getKind()));
    json.put("startTimeUnixNano", Long.toString(span.getStartEpochNanos()));
    json.put("endTimeUnixNano", Long.toString(span.getEndEpochNanos()));
    json.put("attributes", keyValues(span.getAttributes()));
    json.put("droppedAttributesCount", span.getTotalAttributeCount() - span.getAttributes().size());
    json.put("events", span.getEvents().stream().map(OtlpJson::event).toList());
    json.put("droppedEventsCount", span.getTotalRecordedEvents() - span.getEvents().size());
    json.put("links", span.getLinks().stream().map(OtlpJson::link).toList());
    json.put("droppedLinksCount", span.getTotalRecordedLinks() - span.getLinks().size());
    json.put("status", status(span.getStatus()));
    return json;
  }

  private static Map<String, Object> event(EventData event) {
    return Map.of(
        "timeUnixNano", Long.toString(event.getEpochNanos()),
        "name", event.getName(),
        "attributes", keyValues(event.getAttributes()),
        "droppedAttributesCount", event.getDroppedAttributesCount());
  }

  private static Map<String, Object> link(LinkData link) {
    SpanContext context = link.getSpanContext();
    return Map.of(
        "traceId", context.getTraceId(),
        "spanId", context.getSpanId(),
        "traceState", traceState(context.getTraceState()),
        "attributes", keyValues(link.getAttributes()),
        "droppedAttributesCount", link.getTotalAttributeCount() - link.getAttributes().size(),
        "flags", flags(context, context));
  }

  private static int flags(SpanContext own, SpanContext remote) {
    return own.getTraceFlags().asByte() & 0xff | (remote.isRemote() ? 0x300 : 0x100);
  }

  private static int kind(SpanKind kind) {
    return switch (kind) {
      case INTERNAL -> 1;
      case SERVER -> 2;
      case CLIENT -> 3;
      case PRODUCER -> 4;
      case CONSUMER -> 5;
    };
  }

  private static Map<String, Object> status(StatusData status) {
    int code =
        switch (status.getStatusCode()) {
          case UNSET -> 0;
          case OK -> 1;
          case ERROR -> 2;
        };
    return Map.of("code", code, "message", status.getDescription());
  }

  private static String traceState(TraceState state) {
    return state.asMap().entrySet().stream()
        .map(entry -> entry.getKey() + "=" + entry.getValue())
        .collect(Collectors.joining(","));
  }

  private static List<Object> keyValues(Attributes attributes) {
    List<Object> list = new ArrayList<>();
    attributes.forEach((key, value) -> list.add(keyValue(key.getKey(), anyValue(key, value))));
    return list;
  }

  private static Map<String, Object> keyValue(String key, Map<String, Object> value) {
    return Map.of("key", key, "value", value);
  }

  private static Map<String, Object> anyValue(AttributeKey<?> key, Object value) {
    return switch (key.getType()) {
      case STRING, BOOLEAN, LONG, DOUBLE -> scalar(value);
      case STRING_ARRAY, BOOLEAN_ARRAY, LONG_ARRAY, DOUBLE_ARRAY ->
          array(((List<?>) value).stream().map(OtlpJson::scalar).toList());
      case VALUE -> anyValue((Value<?>) value);
    };
  }

  private static Map<String, Object> anyValue(Value<?> value) {
    return switch (value.getType()) {
      case STRING, BOOLEAN, LONG, DOUBLE -> scalar(value.getValue());
      case BYTES -> Map.of("bytesValue", base64((ByteBuffer) value.getValue()));
      case ARRAY -> array(((List<?>) value.getValue()).stream().map(item -> anyValue((Value<?>) item)).toList());
      case KEY_VALUE_LIST ->
          Map.of(
              "kvlistValue",
              Map.of(
                  "values",
                  ((List<?>) value.getValue())
                      .stream()
                          .map(KeyValue.class::cast)
                          .map(entry -> keyValue(entry.getKey(), anyValue(entry.getValue())))
                          .toList()));
      case EMPTY -> Map.of();
    };
  }

  private static Map<String, Object> scalar(Object value) {
    if (value instanceof String) {
      return Map.of("stringValue", value);
    }
    if (value instanceof Boolean) {
      return Map.of("boolValue", value);
    }
    return value instanceof Long ? Map.of("intValue", value.toString()) : Map.of("doubleValue", value);
  }

  private static Map<String, Object> array(List<?> values) {
    return Map.of("arrayValue", Map.of("values", values));
  }

  private static String base64(ByteBuffer bytes) {
    byte[] copy = new byte[bytes.remaining()];
    bytes.duplicate().get(copy);
    return Base64.getEncoder().encodeToString(copy);
  }

  private static String orEmpty(String text) {
    return Objects.requireNonNullElse(text, "");
  }

  private OtlpJson() {}
}
