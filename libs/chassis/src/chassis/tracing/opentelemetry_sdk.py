"""OpenTelemetry, started: imported only by a process whose settings name a receiver."""

import atexit
import logging
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal

from fastapi import FastAPI
from opentelemetry import context as running
from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.aiokafka import AIOKafkaInstrumentor
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.instrumentation.asyncpg import AsyncPGInstrumentor
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, TraceFlags
from starlette.types import ASGIApp, Receive, Scope, Send

from chassis.tracing.exported import OURS, Clean, CleanExporter, Count
from chassis.tracing.heads import SAMPLER, Carriers, context_of, contexts_of, header_of, is_text
from chassis.tracing.kafka_records import spare_what_is_not_sampled
from chassis.tracing.spans import OFF, Attributes, set_tracer

EXPORT_SECONDS: Final = 2.0
"""For one batch, its repetitions included."""
LAST_EXPORTS_SECONDS: Final = 1.0
"""After the process's parts have stopped no export begins later; with the one that runs, at most 3 s in all."""
QUEUED: Final = 2048
"""Spans that wait for the receiver at most; then the oldest are lost, uncounted, and nobody waits."""
EXCLUDED: Final[list[Literal["receive", "send"]]] = ["receive", "send"]
"""Spans for each message of ASGI, which say nothing."""
INSTRUMENTED: Final[Mapping[str, Callable[[], Any]]] = {
    "aiokafka": AIOKafkaInstrumentor,
    "asyncpg": AsyncPGInstrumentor,
    "httpx": HTTPXClientInstrumentor,
}
"""Not SQLAlchemy's, which refuses 2.1; its statements are asyncpg's. FastAPI's is for each app."""
_IDS: Final = RandomIdGenerator()
with suppress_instrumentation():
    _QUIET: Final = running.get_current()
    """In it no instrumentation does anything."""
log = logging.getLogger(__name__)


class NotInstrumented(RuntimeError):  # noqa: N818 - named for what it says
    """An instrumentation refused its library, as one of another release does; it would only say so in a log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """Where spans go, which part of all traces, and whether a caller's own `traceparent` counts."""

    endpoint: str
    share: float
    trusts_callers: bool


def start(receiver: Receiver, *, service: str, instance: str, clean: Clean, count: Count) -> None:
    """Instrument the libraries and export what they say, until the process ends. Raises NotInstrumented."""
    resource = Resource.create(
        {"service.name": service, "service.namespace": "quittance", "quittance.instance": instance}
    )
    provider = TracerProvider(sampler=SAMPLER, resource=resource, shutdown_on_exit=False)
    address = f"{receiver.endpoint.rstrip('/')}/v1/traces"
    exporter = CleanExporter(OTLPSpanExporter(address, timeout=EXPORT_SECONDS), clean=clean, count=count)
    provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=QUEUED))
    propagate.set_global_textmap(Carriers(trusts_callers=receiver.trusts_callers))
    for library, instrumentor in INSTRUMENTED.items():
        made = instrumentor()
        made.instrument(tracer_provider=provider)
        if not made.is_instrumented_by_opentelemetry:
            raise NotInstrumented(library)
    spare_what_is_not_sampled()
    set_tracer(OpenTelemetry(provider, receiver))

    def stop() -> None:
        exporter.end_in(LAST_EXPORTS_SECONDS)
        provider.shutdown()

    atexit.register(stop)


class OpenTelemetry:
    """The tracer of a process; `chassis.tracing.spans` says what its methods are for.

    What is not sampled carries its trace on, so that it is sampled nowhere, and instrumentations do nothing in it.
    """

    def __init__(self, provider: TracerProvider, receiver: Receiver) -> None:
        self._provider = provider
        self._receiver = receiver
        self._tracer = provider.get_tracer("quittance")

    def span(self, name: str, after: Iterable[str | None], attributes: Attributes) -> AbstractContextManager[None]:
        """Begin where `_place` says; a span that is not sampled is none. Never raises: what it watches goes on."""
        try:
            place = self._place(contexts_of(after))
        except Exception:
            log.exception("a span was not begun")
            return OFF
        return _unsampled(place) if isinstance(place, SpanContext) else self._sampled(name, *place, attributes)

    @contextmanager
    def _sampled(self, name: str, parent: Span, links: Sequence[SpanContext], attributes: Attributes) -> Iterator[None]:
        ours = {f"{OURS}{key}": value for key, value in attributes.items()}
        with (
            _Within(trace.set_span_in_context(parent, Context())),
            self._tracer.start_as_current_span(name, attributes=ours, links=[Link(link) for link in links]),
        ):
            yield

    def _place(self, came: Sequence[SpanContext]) -> tuple[Span, Sequence[SpanContext]] | SpanContext:
        """Return the parent, and what else led to it; the context alone of what is not sampled."""
        here = trace.get_current_span()
        around = here.get_span_context()
        if sampled := [one for one in came if one.trace_flags.sampled]:
            first, *others = sampled
            if around.trace_id == first.trace_id:
                return here, others
            return NonRecordingSpan(first), [around, *others] if around.trace_flags.sampled else others
        if came:
            return came[0]
        if around.is_valid:
            return (here, ()) if around.trace_flags.sampled else around
        return (here, ()) if self._is_chosen() else _new()

    def carried_on(self, traceparent: str | None) -> AbstractContextManager[None]:
        """Run in the trace of `traceparent`."""
        came = context_of(traceparent)
        if came is None or not came.trace_flags.sampled:
            return _unsampled(came or _new())
        return _Within(trace.set_span_in_context(NonRecordingSpan(came), Context()))

    def traceparent(self) -> str | None:
        """Return the running trace."""
        found = trace.get_current_span().get_span_context()
        return header_of(found) if found.is_valid else None

    def ids(self) -> dict[str, str]:
        """Return the running ids."""
        found = trace.get_current_span().get_span_context()
        if not found.is_valid:
            return {}
        return {"trace_id": trace.format_trace_id(found.trace_id), "span_id": trace.format_span_id(found.span_id)}

    def instrument(self, app: FastAPI) -> None:
        """Wrap what the app is built of."""
        FastAPIInstrumentor.instrument_app(app, tracer_provider=self._provider, exclude_spans=EXCLUDED)
        build = app.build_middleware_stack
        app.build_middleware_stack = lambda: self._headed(build())  # type: ignore[method-assign]

    def served(self, app: ASGIApp, paths: Iterable[str]) -> ASGIApp:
        """Wrap the app."""
        known = frozenset(paths)

        def details(scope: Scope) -> tuple[str, dict[str, Any]]:
            path = scope["path"].removesuffix("/")
            if path not in known:  # it is the sender's word
                return str(scope["method"]), {}
            return f"{scope['method']} {path}", {"http.route": path}

        traced = OpenTelemetryMiddleware(
            app, default_span_details=details, tracer_provider=self._provider, exclude_spans=EXCLUDED
        )
        return self._headed(traced, otherwise=app)

    def _headed(self, traced: ASGIApp, *, otherwise: ASGIApp | None = None) -> ASGIApp:
        """Return `traced` for the requests that are sampled, and for the others what costs less."""
        plain = otherwise or traced

        async def headed(scope: Scope, receive: Receive, send: Send) -> None:
            unsampled = self._unsampled_request(scope)
            if unsampled is None:
                await traced(scope, receive, send)
                return
            with _unsampled(unsampled):
                await plain(scope, receive, send)

        return headed

    def _unsampled_request(self, scope: Scope) -> SpanContext | None:
        """Return what a request that is not sampled runs in; None for one that is, or whose trace has begun."""
        if scope["type"] != "http" or trace.get_current_span().get_span_context().is_valid:
            return None
        came = context_of(_sent_with(scope)) if self._receiver.trusts_callers else None
        chosen = came.trace_flags.sampled if came is not None else self._is_chosen()
        return None if chosen and is_text(scope) else came or _new()

    def _is_chosen(self) -> bool:
        return random.random() < self._receiver.share  # noqa: S311 - no secret


def _sent_with(scope: Scope) -> str | None:
    sent = [value for name, value in scope["headers"] if name == b"traceparent"]
    return sent[0].decode("latin-1") if len(sent) == 1 else None


def _new() -> SpanContext:
    return SpanContext(_IDS.generate_trace_id(), _IDS.generate_span_id(), False, TraceFlags(TraceFlags.DEFAULT))


class _Within(AbstractContextManager[None]):
    """Run the block in `context`; written out, since a generator for it takes twice as long."""

    __slots__ = ("_context", "_token")

    def __init__(self, context: Context) -> None:
        self._context = context

    def __enter__(self) -> None:
        self._token = running.attach(self._context)

    def __exit__(self, *_: object) -> None:
        running.detach(self._token)


def _unsampled(context: SpanContext) -> AbstractContextManager[None]:
    if context.trace_flags.sampled:  # a request whose head cannot be read
        context = SpanContext(context.trace_id, context.span_id, context.is_remote, TraceFlags(TraceFlags.DEFAULT))
    return _Within(trace.set_span_in_context(NonRecordingSpan(context), _QUIET))
