"""A receiver of traces as OpenTelemetry's collector is one: OTLP over HTTP, on this machine's loopback address."""

import contextlib
import gzip
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass
class Received:
    """What came."""

    address: str = ""
    content: bytes = b""
    """As it was sent, decompressed."""
    spans: list[Span] = field(default_factory=list)
    services: set[str] = field(default_factory=set)

    def named(self, name: str) -> list[Span]:
        return [one for one in self.spans if one.name == name]

    def path(self, span: Span) -> str:
        """The names from the whole run down to a span."""
        parents = [one for one in self.spans if one.span_id == span.parent_span_id]
        return f"{self.path(parents[0])} {span.name}" if parents else span.name


def said(span: Span) -> dict[str, str | int]:
    """Its attributes."""
    return {one.key: one.value.string_value or one.value.int_value for one in span.attributes}


@contextlib.contextmanager
def collecting() -> Iterator[Received]:
    """A receiver, for as long as the block runs."""
    received, lock = Received(), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces", self.path
            content = self.rfile.read(int(self.headers["Content-Length"]))
            content = gzip.decompress(content) if self.headers["Content-Encoding"] == "gzip" else content
            request = ExportTraceServiceRequest.FromString(content)
            with lock:
                received.content += content
                for one in request.resource_spans:
                    received.services |= {
                        a.value.string_value for a in one.resource.attributes if a.key == "service.name"
                    }
                    received.spans += [span for scope in one.scope_spans for span in scope.spans]
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    received.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield received
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
