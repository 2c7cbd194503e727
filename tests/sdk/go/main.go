// Command client sends the scenario of ../README.md with the Go SDK and prints what the SDK handed to its exporter.
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"strconv"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

const schemaURL = "https://opentelemetry.io/schemas/1.37.0"

type settings struct {
	endpoint, protocol, compression string
}

func main() {
	var args settings
	flag.StringVar(&args.endpoint, "endpoint", "", "URL of the receiver")
	flag.StringVar(&args.protocol, "protocol", "", "grpc, http/protobuf or http/json")
	flag.StringVar(&args.compression, "compression", "", "none or gzip")
	flag.Parse()
	if err := run(context.Background(), args); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args settings) error {
	stock, err := stockExporter(ctx, args)
	if err != nil {
		return err
	}
	own, err := ownResource()
	if err != nil {
		return err
	}
	recorder := &recordingExporter{inner: stock}
	provider := sdktrace.NewTracerProvider(sdktrace.WithResource(own), sdktrace.WithBatcher(recorder))
	sendScenario(ctx, provider.Tracer("causeway.sdk",
		trace.WithInstrumentationVersion("1.2.3"),
		trace.WithSchemaURL(schemaURL),
		trace.WithInstrumentationAttributes(
			attribute.String("scope.string", "zürich"),
			attribute.Int("scope.int", 7),
			attribute.Bool("scope.bool", true),
			attribute.Float64Slice("scope.doubles", []float64{0.5, math.Copysign(0, -1)}),
		),
	))
	flushed := provider.ForceFlush(ctx)
	closed := provider.Shutdown(ctx)

	printed := shape{emptyBytesLost: args.protocol == "http/json"}
	items := []any{}
	for _, span := range recorder.spans {
		items = append(items, printed.item(span))
	}
	document := map[string]any{"language": "go", "sdk_version": sdk.Version(), "spans": items}
	return errors.Join(json.NewEncoder(os.Stdout).Encode(document), flushed, closed, recorder.err)
}

func stockExporter(ctx context.Context, args settings) (sdktrace.SpanExporter, error) {
	if args.protocol == "grpc" {
		options := []otlptracegrpc.Option{otlptracegrpc.WithEndpointURL(args.endpoint)}
		if args.compression == "gzip" {
			options = append(options, otlptracegrpc.WithCompressor("gzip"))
		}
		return otlptracegrpc.New(ctx, options...)
	}
	encoding := otlptracehttp.EncodingProtobuf
	if args.protocol == "http/json" {
		encoding = otlptracehttp.EncodingJSON
	}
	compression := otlptracehttp.NoCompression
	if args.compression == "gzip" {
		compression = otlptracehttp.GzipCompression
	}
	return otlptracehttp.New(ctx,
		otlptracehttp.WithEndpointURL(args.endpoint+"/v1/traces"),
		otlptracehttp.WithEncoding(encoding), otlptracehttp.WithCompression(compression))
}

// recordingExporter passes every batch on to the stock exporter and keeps the spans and what went wrong.
type recordingExporter struct {
	inner sdktrace.SpanExporter
	mu    sync.Mutex
	spans []sdktrace.ReadOnlySpan
	err   error
}

func (e *recordingExporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	err := e.inner.ExportSpans(ctx, spans)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.spans = append(e.spans, spans...)
	e.err = errors.Join(e.err, err)
	return err
}

func (e *recordingExporter) Shutdown(ctx context.Context) error {
	return e.inner.Shutdown(ctx)
}

func ownResource() (*resource.Resource, error) {
	return resource.New(context.Background(),
		resource.WithTelemetrySDK(), // brings the SDK's own schema URL, and no other may stand beside it
		resource.WithAttributes(
			attribute.String("service.name", "sdk-go"),
			attribute.String("service.version", "0.1.0"),
			attribute.String("sdk.string", "zürich 🚆"),
			attribute.Int64("sdk.int", 1<<53+1),
			attribute.Bool("sdk.bool", true),
			attribute.Float64("sdk.double", 0.1),
			attribute.StringSlice("sdk.strings", []string{"a", "", "ß"}),
			attribute.Int64Slice("sdk.ints", []int64{1, -1, 0}),
			attribute.BoolSlice("sdk.bools", []bool{true, false}),
			attribute.Float64Slice("sdk.doubles", []float64{0.5, math.Copysign(0, -1)}),
		),
	)
}

func everyType() []attribute.KeyValue {
	negativeZero := math.Copysign(0, -1)
	return []attribute.KeyValue{
		attribute.String("string", "plain"),
		attribute.String("string.empty", ""),
		attribute.String("string.unicode", "Grüße, 世界, עולם"),
		attribute.String("string.emoji", "👩‍🚀🚀"),
		attribute.String("string.control", "tab\t newline\n quote\" backslash\\ nul\x00"),
		attribute.Bool("bool.true", true),
		attribute.Bool("bool.false", false),
		attribute.Int64("int.min", math.MinInt64),
		attribute.Int64("int.max", math.MaxInt64),
		attribute.Int64("int.zero", 0),
		attribute.Int64("int.above_double", 1<<53+1),
		attribute.Float64("double.huge", 1e308),
		attribute.Float64("double.tiny", math.SmallestNonzeroFloat64),
		attribute.Float64("double.negative_zero", negativeZero),
		attribute.Float64("double.tenth", 0.1),
		attribute.Float64("double.whole", 2),
		attribute.StringSlice("strings", []string{"a", "", "🚀"}),
		attribute.StringSlice("strings.empty", []string{}),
		attribute.BoolSlice("bools", []bool{true, false}),
		attribute.BoolSlice("bools.empty", []bool{}),
		attribute.Int64Slice("ints", []int64{math.MinInt64, 0, math.MaxInt64}),
		attribute.Int64Slice("ints.empty", []int64{}),
		attribute.Float64Slice("doubles", []float64{1e308, negativeZero, 0.1, 2}),
		attribute.Float64Slice("doubles.empty", []float64{}),
		attribute.ByteSlice("bytes", []byte{0, 1, 127, 128, 255}),
		attribute.ByteSlice("bytes.empty", []byte{}),
		attribute.Map("map",
			attribute.String("string", "a"),
			attribute.Int("int", 1),
			attribute.Map("map", attribute.ByteSlice("bytes", []byte{0, 255}), attribute.KeyValue{Key: "none"}),
		),
		attribute.Map("map.empty"),
		attribute.Slice("mixed",
			attribute.StringValue("a"),
			attribute.IntValue(1),
			attribute.BoolValue(true),
			attribute.Float64Value(0.5),
			attribute.ByteSliceValue([]byte{0}),
			attribute.SliceValue(attribute.IntValue(1), attribute.SliceValue(attribute.IntValue(2))),
			attribute.MapValue(attribute.String("key", "value")),
		),
		{Key: "none"},
	}
}

func sendScenario(ctx context.Context, tracer trace.Tracer) {
	inRoot, root := tracer.Start(ctx, "GET /checkout", trace.WithSpanKind(trace.SpanKindServer),
		trace.WithAttributes(attribute.String("http.request.method", "GET"), attribute.String("http.route", "/checkout")))
	root.AddEvent("cache.miss", trace.WithAttributes(attribute.String("cache.key", "cart:42"), attribute.Int("cache.size", 3)))
	root.AddEvent("no attributes")

	inCall, call := tracer.Start(inRoot, "GET stock", trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(attribute.Int("server.port", 8080)))
	call.SetStatus(codes.Ok, "")

	inServed, served := tracer.Start(inCall, "GET /stock", trace.WithSpanKind(trace.SpanKindServer))
	served.RecordError(errors.New("stock database is unreachable ☠"),
		trace.WithStackTrace(true), trace.WithAttributes(attribute.Int("exception.retries", 2)))
	served.SetStatus(codes.Error, "stock database is unreachable ☠")

	_, leaf := tracer.Start(inServed, "every type", trace.WithAttributes(everyType()...))
	leaf.AddEvent("every type", trace.WithAttributes(everyType()...))

	_, produced := tracer.Start(inServed, "orders publish", trace.WithSpanKind(trace.SpanKindProducer),
		trace.WithAttributes(attribute.String("messaging.destination.name", "orders")))
	_, consumed := tracer.Start(ctx, "orders process", trace.WithSpanKind(trace.SpanKindConsumer), trace.WithLinks(
		trace.Link{SpanContext: produced.SpanContext(), Attributes: everyType()},
		trace.Link{SpanContext: remoteContext("vendor=link,other=1")}))

	remote := trace.ContextWithRemoteSpanContext(ctx, remoteContext("vendor=a:b,other=t61rcWkgMzE"))
	_, continued := tracer.Start(remote, "GET /remote", trace.WithSpanKind(trace.SpanKindServer))

	start := time.Now().Truncate(time.Second).Add(-5*time.Second + 123_456_789)
	_, timed := tracer.Start(inRoot, "explicit times", trace.WithTimestamp(start))
	timed.AddEvent("one nanosecond in", trace.WithTimestamp(start.Add(1)), trace.WithAttributes(attribute.Bool("explicit", true)))

	_, limits := tracer.Start(inRoot, "limits")
	for i := range 130 {
		limits.SetAttributes(attribute.Int(fmt.Sprintf("key.%d", i), i))
		limits.AddEvent("tick", trace.WithAttributes(attribute.Int("index", i)))
		limits.AddLink(trace.Link{SpanContext: produced.SpanContext(), Attributes: []attribute.KeyValue{attribute.Int("index", i)}})
	}

	timed.End(trace.WithTimestamp(start.Add(1_000_000_001)))
	for _, span := range []trace.Span{limits, continued, consumed, produced, leaf, served, call, root} {
		span.End()
	}
}

func remoteContext(traceState string) trace.SpanContext {
	state, err := trace.ParseTraceState(traceState)
	if err != nil {
		panic(err) // the callers pass constants
	}
	config := trace.SpanContextConfig{TraceFlags: trace.FlagsSampled, TraceState: state, Remote: true}
	rand.Read(config.TraceID[:])
	rand.Read(config.SpanID[:])
	return trace.NewSpanContext(config)
}

// shape turns the SDK's spans into OTLP/JSON.
type shape struct {
	// emptyBytesLost: the JSON encoder leaves empty bytes out, which makes them a value of no type.
	emptyBytesLost bool
}

func (s shape) item(span sdktrace.ReadOnlySpan) map[string]any {
	scope := span.InstrumentationScope()
	return map[string]any{
		"resource":          map[string]any{"attributes": s.keyValues(span.Resource().Attributes())},
		"resourceSchemaUrl": span.Resource().SchemaURL(),
		"scope":             map[string]any{"name": scope.Name, "version": scope.Version, "attributes": s.keyValues(scope.Attributes.ToSlice())},
		"scopeSchemaUrl":    scope.SchemaURL,
		"span":              s.span(span),
	}
}

func (s shape) span(span sdktrace.ReadOnlySpan) map[string]any {
	parent := ""
	if span.Parent().SpanID().IsValid() {
		parent = span.Parent().SpanID().String()
	}
	events, links := []any{}, []any{}
	for _, event := range span.Events() {
		events = append(events, s.event(event))
	}
	for _, link := range span.Links() {
		links = append(links, s.link(link))
	}
	return map[string]any{
		"traceId":                span.SpanContext().TraceID().String(),
		"spanId":                 span.SpanContext().SpanID().String(),
		"parentSpanId":           parent,
		"traceState":             span.SpanContext().TraceState().String(),
		"flags":                  flags(span.SpanContext(), span.Parent()),
		"name":                   span.Name(),
		"kind":                   int(span.SpanKind()),
		"startTimeUnixNano":      nanoseconds(span.StartTime()),
		"endTimeUnixNano":        nanoseconds(span.EndTime()),
		"attributes":             s.keyValues(span.Attributes()),
		"droppedAttributesCount": span.DroppedAttributes(),
		"events":                 events,
		"droppedEventsCount":     span.DroppedEvents(),
		"links":                  links,
		"droppedLinksCount":      span.DroppedLinks(),
		"status":                 status(span.Status()),
	}
}

func (s shape) event(event sdktrace.Event) map[string]any {
	return map[string]any{
		"timeUnixNano":           nanoseconds(event.Time),
		"name":                   event.Name,
		"attributes":             s.keyValues(event.Attributes),
		"droppedAttributesCount": event.DroppedAttributeCount,
	}
}

// link has no traceState: the stock exporters leave it out.
func (s shape) link(link sdktrace.Link) map[string]any {
	return map[string]any{
		"traceId":                link.SpanContext.TraceID().String(),
		"spanId":                 link.SpanContext.SpanID().String(),
		"attributes":             s.keyValues(link.Attributes),
		"droppedAttributesCount": link.DroppedAttributeCount,
		"flags":                  flags(link.SpanContext, link.SpanContext),
	}
}

func flags(own, remote trace.SpanContext) int {
	if remote.IsRemote() {
		return int(own.TraceFlags()) | 0x300
	}
	return int(own.TraceFlags()) | 0x100
}

// status numbers the codes as OTLP does; the SDK has OK and Error the other way round.
func status(status sdktrace.Status) map[string]any {
	code := map[codes.Code]int{codes.Unset: 0, codes.Ok: 1, codes.Error: 2}[status.Code]
	return map[string]any{"code": code, "message": status.Description}
}

func nanoseconds(at time.Time) string {
	return strconv.FormatInt(at.UnixNano(), 10)
}

func (s shape) keyValues(attributes []attribute.KeyValue) []any {
	list := []any{}
	for _, each := range attributes {
		list = append(list, map[string]any{"key": each.Key, "value": s.anyValue(each.Value)})
	}
	return list
}

func (s shape) anyValue(value attribute.Value) map[string]any {
	switch value.Type() {
	case attribute.STRING:
		return map[string]any{"stringValue": value.AsString()}
	case attribute.BOOL:
		return map[string]any{"boolValue": value.AsBool()}
	case attribute.INT64:
		return map[string]any{"intValue": strconv.FormatInt(value.AsInt64(), 10)}
	case attribute.FLOAT64:
		return map[string]any{"doubleValue": value.AsFloat64()}
	case attribute.BYTESLICE:
		if s.emptyBytesLost && len(value.AsByteSlice()) == 0 {
			return map[string]any{}
		}
		return map[string]any{"bytesValue": value.AsByteSlice()}
	case attribute.MAP:
		return map[string]any{"kvlistValue": map[string]any{"values": s.keyValues(value.AsMap())}}
	case attribute.STRINGSLICE:
		return array(s, value.AsStringSlice(), attribute.StringValue)
	case attribute.BOOLSLICE:
		return array(s, value.AsBoolSlice(), attribute.BoolValue)
	case attribute.INT64SLICE:
		return array(s, value.AsInt64Slice(), attribute.Int64Value)
	case attribute.FLOAT64SLICE:
		return array(s, value.AsFloat64Slice(), attribute.Float64Value)
	case attribute.SLICE:
		return array(s, value.AsSlice(), func(item attribute.Value) attribute.Value { return item })
	default:
		return map[string]any{}
	}
}

func array[T any](s shape, items []T, wrap func(T) attribute.Value) map[string]any {
	values := []any{}
	for _, item := range items {
		values = append(values, s.anyValue(wrap(item)))
	}
	return map[string]any{"arrayValue": map[string]any{"values": values}}
}
