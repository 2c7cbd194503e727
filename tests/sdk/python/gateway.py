"""A stock Python service that passes requests on: it serves HTTP and calls `--orders` within its own span.

Prints `listening ADDRESS`; ends when its standard input does, with all spans exported.
"""

import argparse
import sys
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry import propagate
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--orders", required=True)
    args = parser.parse_args()
    provider = TracerProvider(resource=Resource.create({"service.name": "gateway", "service.instance.id": "gateway-1"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{args.endpoint}/v1/traces")))
    tracer = provider.get_tracer("causeway.chain")

    class Gateway(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", "0")))
            received = propagate.extract({key.lower(): value for key, value in self.headers.items()})
            with tracer.start_as_current_span("POST /gateway", received, SpanKind.SERVER) as server:
                with tracer.start_as_current_span("POST", kind=SpanKind.CLIENT) as client:
                    headers: dict[str, str] = {}
                    propagate.inject(headers)
                    request = urllib.request.Request(f"http://{args.orders}{self.path}", b"", headers)
                    with urllib.request.urlopen(request, timeout=30) as response:
                        status = response.status
                    client.set_attribute("http.response.status_code", status)
                server.set_attribute("http.response.status_code", status)
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    gateway = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    gateway.daemon_threads = True
    threading.Thread(target=gateway.serve_forever, daemon=True).start()
    host, port = gateway.server_address[:2]
    print(f"listening {host}:{port}", flush=True)
    sys.stdin.read()
    gateway.shutdown()
    provider.shutdown()


if __name__ == "__main__":
    main()
