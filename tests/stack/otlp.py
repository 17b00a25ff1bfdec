"""A receiver of traces: OTLP over HTTP, as a collector takes it, and what it was sent."""

import gzip
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

POLL_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True)
class Span:
    """One span, ids in hexadecimal; `parent` is empty for the first of a trace."""

    service: str
    scope: str
    name: str
    trace: str
    id: str
    parent: str
    links: tuple[str, ...]
    """The traces that it is linked to."""
    attributes: dict[str, Any]
    text: str
    """All of its words: whatever must not be in it."""


@dataclass(slots=True)
class Receiver:
    """What arrived. `answers` is called before each answer, and returns its status."""

    url: str = ""
    spans: list[Span] = field(default_factory=list)
    answers: Callable[[], int] = lambda: 200

    def take(self, body: bytes) -> None:
        """Keep the spans of one export."""
        for of_resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            about = _values(of_resource.resource.attributes)
            for of_scope in of_resource.scope_spans:
                self.spans += [_span(span, about["service.name"], of_scope.scope.name) for span in of_scope.spans]

    def traces(self, name: str) -> set[str]:
        """Return the traces that have a span of this name."""
        return {span.trace for span in self.spans if span.name == name}

    def until(self, arrived: Callable[[], bool], *, seconds: float = 30) -> None:
        """Wait for what `arrived` looks for. Raises TimeoutError. Not for an event loop."""
        end = time.monotonic() + seconds
        while not arrived():
            if time.monotonic() > end:
                names = sorted({f"{span.service}: {span.name}" for span in self.spans})
                raise TimeoutError("\n".join(["the spans did not arrive; there are:", *names]))
            time.sleep(POLL_SECONDS)


@contextmanager
def an_otlp_receiver() -> Iterator[Receiver]:
    """Listen until the block is left."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = receiver.answers()
            if status == 200 and self.path == "/v1/traces":
                receiver.take(gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()


def _span(span: Any, service: str, scope: str) -> Span:
    return Span(
        service=service,
        scope=scope,
        name=span.name,
        trace=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        links=tuple(link.trace_id.hex() for link in span.links),
        attributes=_values(span.attributes),
        text="\n".join(map(str, (span.name, *span.attributes, *span.events, span.status))),
    )


def _values(attributes: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value") or "string_value") for one in attributes}
