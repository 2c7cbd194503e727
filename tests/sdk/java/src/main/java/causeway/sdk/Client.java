package causeway.sdk;

import com.google.gson.Gson;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.exporter.otlp.trace.OtlpGrpcSpanExporter;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Sends the scenario of ../README.md with the Java SDK and prints what the SDK handed to its exporter. */
public final class Client {
  static final String SCHEMA_URL = "https://opentelemetry.io/schemas/1.37.0";
  private static final int EXIT_PROTOCOL_MISSING = 3;

  public static void main(String[] arguments) {
    Map<String, String> args = new HashMap<>();
    for (int i = 0; i + 1 < arguments.length; i += 2) {
      args.put(arguments[i], arguments[i + 1]);
    }
    if (args.get("--protocol").equals("http/json")) {
      System.err.println("the stock exporters of the Java SDK do not send http/json");
      System.exit(EXIT_PROTOCOL_MISSING);
    }
    System.exit(run(args) ? 0 : 1);
  }

  private static boolean run(Map<String, String> args) {
    RecordingExporter exporter = new RecordingExporter(stockExporter(args));
    SdkTracerProvider provider =
        SdkTracerProvider.builder()
            .setResource(Resource.getDefault().merge(Resource.create(Scenario.resource(), SCHEMA_URL)))
            .addSpanProcessor(BatchSpanProcessor.builder(exporter).build())
            .build();
    // The public API has no attributes for an instrumentation scope.
    Scenario.send(
        provider
            .tracerBuilder("causeway.sdk")
            .setInstrumentationVersion("1.2.3")
            .setSchemaUrl(SCHEMA_URL)
            .build());
    CompletableResultCode flushed = provider.forceFlush().join(30, TimeUnit.SECONDS);
    CompletableResultCode closed = provider.shutdown().join(30, TimeUnit.SECONDS);

    Map<String, Object> document =
        Map.of(
            "language", "java",
            "sdk_version", sdkVersion(),
            "spans", exporter.spans.stream().map(OtlpJson::item).toList());
    new PrintStream(System.out, true, StandardCharsets.UTF_8).println(new Gson().toJson(document));
    return flushed.isSuccess() && closed.isSuccess() && exporter.succeeded();
  }

  private static SpanExporter stockExporter(Map<String, String> args) {
    String endpoint = args.get("--endpoint");
    String compression = args.get("--compression");
    if (args.get("--protocol").equals("grpc")) {
      return OtlpGrpcSpanExporter.builder().setEndpoint(endpoint).setCompression(compression).build();
    }
    return OtlpHttpSpanExporter.builder()
        .setEndpoint(endpoint + "/v1/traces")
        .setCompression(compression)
        .build();
  }

  private static String sdkVersion() {
    return Resource.getDefault()
        .getAttribute(AttributeKey.stringKey("telemetry.sdk.version"));
  }

  /** Passes every batch on to the stock exporter and keeps the spans and whether all went well. */
  private static final class RecordingExporter implements SpanExporter {
    private final SpanExporter inner;
    private final List<SpanData> spans = new ArrayList<>();
    private final List<CompletableResultCode> results = new ArrayList<>();

    RecordingExporter(SpanExporter inner) {
      this.inner = inner;
    }

    boolean succeeded() {
      return results.stream().allMatch(CompletableResultCode::isSuccess);
    }

    @Override
    public CompletableResultCode export(Collection<SpanData> batch) {
      spans.addAll(batch);
      CompletableResultCode result = inner.export(batch);
      results.add(result);
      return result;
    }

    @Override
    public CompletableResultCode flush() {
      return inner.flush();
    }

    @Override
    public CompletableResultCode shutdown() {
      return inner.shutdown();
    }
  }

  private Client() {}
}
