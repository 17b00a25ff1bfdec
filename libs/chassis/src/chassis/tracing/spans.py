"""What product code says of traces. It costs next to nothing, and imports nothing, until a tracer is set."""

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final, Protocol

Attributes = Mapping[str, str | int]
"""Ids and counts of ours: no personal data, no secret, no body."""
OFF: Final[AbstractContextManager[None]] = nullcontext()


class Tracer(Protocol):
    """What makes spans where tracing is on."""

    def span(self, name: str, after: Iterable[str | None], attributes: Attributes) -> AbstractContextManager[None]: ...

    def carried_on(self, traceparent: str | None) -> AbstractContextManager[None]: ...

    def traceparent(self) -> str | None: ...

    def ids(self) -> dict[str, str]: ...

    def instrument(self, app: Any) -> None: ...

    def served(self, app: Any, paths: Iterable[str]) -> Any: ...


_tracers: Final[list[Tracer]] = []


def set_tracer(tracer: Tracer) -> None:
    """Have `tracer` make the spans of this process from now on."""
    _tracers[:] = [tracer]


def span(
    name: str, *, after: Iterable[str | None] = (), attributes: Attributes | None = None
) -> AbstractContextManager[None]:
    """Run the block as a span. `after` holds what led to it, as `traceparent`s; None where that is not known.

    It goes on in the first trace of `after` that is sampled, and is linked to the others. Without any it goes on in the
    span that runs, or begins a trace of its own, which the configured share decides on.
    """
    return _tracers[0].span(name, after, attributes or {}) if _tracers else OFF


def carried_on(traceparent: str | None) -> AbstractContextManager[None]:
    """Run the block in the trace of `traceparent`, without a span of its own; in none without it."""
    return _tracers[0].carried_on(traceparent) if _tracers else OFF


def traceparent() -> str | None:
    """Return what carries the running trace on, to be kept beside what it causes; None outside of one.

    Source: https://www.w3.org/TR/trace-context/#traceparent-header.
    """
    return _tracers[0].traceparent() if _tracers else None


def ids() -> dict[str, str]:
    """Return `trace_id` and `span_id` of what runs, for a log line; nothing outside of a trace."""
    return _tracers[0].ids() if _tracers else {}


def instrument(app: Any) -> None:
    """Have each request of a FastAPI app be a span."""
    if _tracers:
        _tracers[0].instrument(app)


def served(app: Any, *, paths: Iterable[str]) -> Any:
    """Return the ASGI app with each request as a span, named by its path where that is one of `paths`."""
    return _tracers[0].served(app, paths) if _tracers else app
