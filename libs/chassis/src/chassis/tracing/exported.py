"""What leaves the process: spans with the attributes that are listed here, and nothing else that a library adds.

A library's next version may record more. What nobody looked at is not exported, so that neither an address, nor a
query string, nor the text of an error, which may quote a row, ends up with whoever keeps the traces.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import Status

OURS: Final = "quittance."
ADDRESSES: Final = frozenset({"http.url", "url.full"})
"""Exported without query string and user."""
ALLOWED: Final = ADDRESSES | frozenset(
    {
        "db.name",
        "db.namespace",
        "db.query.text",
        "db.statement",
        "db.system",
        "db.system.name",
        "error.type",
        "http.method",
        "http.request.method",
        "http.response.status_code",
        "http.route",
        "http.status_code",
        "messaging.batch.message_count",
        "messaging.consumer.group.name",
        "messaging.destination.name",
        "messaging.destination.partition.id",
        "messaging.kafka.message.key",
        "messaging.kafka.message.offset",
        "messaging.message.id",
        "messaging.operation.name",
        "messaging.operation.type",
        "messaging.system",
        "server.address",
        "server.port",
    }
)
Clean = Callable[[str], str]
"""Takes secrets, and the values that a database quotes, out of a text."""
Count = Callable[[str, int], None]
"""Counts spans by what became of them: `exported` or `lost`."""


class CleanExporter(SpanExporter):
    """Hands `inner` what may leave. What it cannot hand over in time is lost, and counted."""

    def __init__(self, inner: SpanExporter, *, clean: Clean, count: Count) -> None:
        self._inner = inner
        self._clean = clean
        self._count = count
        self._until = float("inf")

    def end_in(self, seconds: float) -> None:
        """Begin no export any more once they are over: the process ends."""
        self._until = time.monotonic() + seconds

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Never raises for what a receiver does, and takes as long as `inner` bounds itself."""
        result = SpanExportResult.FAILURE
        try:
            if time.monotonic() < self._until:
                result = self._inner.export([cleaned(span, self._clean) for span in spans])
        finally:
            self._count("exported" if result is SpanExportResult.SUCCESS else "lost", len(spans))
        return result

    def shutdown(self) -> None:
        self._inner.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._inner.force_flush(timeout_millis)


def cleaned(span: ReadableSpan, clean: Clean) -> ReadableSpan:
    """Return the span as it may leave. Of an exception its class alone, of a failure not the words."""
    return ReadableSpan(
        name=clean(span.name),
        context=span.get_span_context(),
        parent=span.parent,
        resource=span.resource,
        attributes=_allowed(span.attributes or {}, clean),
        events=[_without_words(event) for event in span.events if event.name == "exception"],
        links=span.links,
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _allowed(attributes: Mapping[str, Any], clean: Clean) -> dict[str, Any]:
    kept = {name: value for name, value in attributes.items() if name in ALLOWED or name.startswith(OURS)}
    return {name: _cleaned_value(name, value, clean) for name, value in kept.items()}


def _cleaned_value(name: str, value: Any, clean: Clean) -> Any:
    if not isinstance(value, str):
        return value
    return clean(_address(value) if name in ADDRESSES else value)


def _address(url: str) -> str:
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"


def _without_words(event: Event) -> Event:
    kind = (event.attributes or {}).get("exception.type", "")
    return Event(event.name, attributes={"exception.type": kind}, timestamp=event.timestamp)
