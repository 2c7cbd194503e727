// Ways to send the first span, as commands to paste.

export interface Recipe {
  readonly name: string;
  readonly hint: string;
  readonly text: (host: string) => string;
}

export const RECIPES: readonly Recipe[] = [
  {
    name: "Environment",
    hint: "Every OpenTelemetry SDK reads these. Set them where your program starts.",
    text: (host) => `export OTEL_SERVICE_NAME=my-service
export OTEL_TRACES_EXPORTER=otlp
export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
export OTEL_EXPORTER_OTLP_ENDPOINT=http://${host}:4318`,
  },
  {
    name: "curl",
    hint: "One span by hand, without any SDK.",
    text: (host) => `curl -sS http://${host}:4318/v1/traces -H 'Content-Type: application/json' -d '{
  "resourceSpans": [{
    "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "my-service"}}]},
    "scopeSpans": [{"spans": [{
      "traceId": "'$(openssl rand -hex 16)'", "spanId": "'$(openssl rand -hex 8)'",
      "name": "hello", "kind": 1,
      "startTimeUnixNano": "'$(date +%s)'000000000", "endTimeUnixNano": "'$(date +%s)'250000000"
    }]}]
  }]
}'`,
  },
  {
    name: "Python",
    hint: "Instruments a program without changing it.",
    text: (host) => `pip install opentelemetry-distro opentelemetry-exporter-otlp
opentelemetry-bootstrap -a install
OTEL_SERVICE_NAME=my-service \\
OTEL_EXPORTER_OTLP_ENDPOINT=http://${host}:4317 \\
opentelemetry-instrument python app.py`,
  },
  {
    name: "Node.js",
    hint: "Instruments a program without changing it.",
    text: (host) => `npm install @opentelemetry/api @opentelemetry/auto-instrumentations-node
OTEL_SERVICE_NAME=my-service \\
OTEL_EXPORTER_OTLP_ENDPOINT=http://${host}:4318 \\
node --require @opentelemetry/auto-instrumentations-node/register app.js`,
  },
  {
    name: "Java",
    hint: "With the OpenTelemetry Java agent beside your program.",
    text: (host) => `OTEL_SERVICE_NAME=my-service \\
OTEL_EXPORTER_OTLP_ENDPOINT=http://${host}:4318 \\
java -javaagent:opentelemetry-javaagent.jar -jar app.jar`,
  },
  {
    name: "Go",
    hint: "In main, before the first request is served.",
    text: (host) => `go get go.opentelemetry.io/otel/sdk go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc

exporter, err := otlptracegrpc.New(ctx, otlptracegrpc.WithInsecure(), otlptracegrpc.WithEndpoint("${host}:4317"))
if err != nil {
	log.Fatal(err)
}
provider := trace.NewTracerProvider(trace.WithBatcher(exporter))
otel.SetTracerProvider(provider)
defer provider.Shutdown(ctx)`,
  },
  {
    name: ".NET",
    hint: "In Program.cs of an ASP.NET Core service.",
    text: (host) => `dotnet add package OpenTelemetry.Extensions.Hosting
dotnet add package OpenTelemetry.Instrumentation.AspNetCore
dotnet add package OpenTelemetry.Exporter.OpenTelemetryProtocol

builder.Services.AddOpenTelemetry().WithTracing(tracing => tracing
    .AddAspNetCoreInstrumentation()
    .AddOtlpExporter(options => options.Endpoint = new Uri("http://${host}:4317")));`,
  },
  {
    name: "Rust",
    hint: "In main; spans of the tracing crate follow with tracing-opentelemetry.",
    text: (host) => `cargo add opentelemetry opentelemetry_sdk
cargo add opentelemetry-otlp --features grpc-tonic

let exporter = opentelemetry_otlp::SpanExporter::builder()
    .with_tonic()
    .with_endpoint("http://${host}:4317")
    .build()?;
let provider = opentelemetry_sdk::trace::SdkTracerProvider::builder()
    .with_batch_exporter(exporter)
    .build();
opentelemetry::global::set_tracer_provider(provider.clone());`,
  },
  {
    name: "Files",
    hint: "Spans from files: OTLP (JSON or protobuf), Jaeger JSON, Zipkin v2 JSON; .gz and .zst too.",
    text: (host) => `causeway import --server http://${host}:4318 traces.json`,
  },
  {
    name: "Collector",
    hint: "Add this exporter to an OpenTelemetry Collector and name it in the traces pipeline.",
    text: (host) => `exporters:
  otlp/causeway:
    endpoint: ${host}:4317
    tls:
      insecure: true
service:
  pipelines:
    traces:
      exporters: [otlp/causeway]`,
  },
];
