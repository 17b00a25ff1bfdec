"""Where traces begin: which requests and works are sampled, and whose word counts for it."""

import re
from collections.abc import Iterable
from typing import Any, Final

from opentelemetry.context import Context
from opentelemetry.propagators.textmap import (
    CarrierT,
    Getter,
    Setter,
    TextMapPropagator,
    default_getter,
    default_setter,
)
from opentelemetry.sdk.trace.sampling import Decision, ParentBased, Sampler, SamplingResult
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags, format_span_id, format_trace_id, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.types import Scope

TRACEPARENT: Final = "traceparent"
SAMPLED: Final = "13579bdf"
"""The last digit of the flags, of a trace that is sampled."""
_PARTS: Final = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]([0-9a-f])(?:-.*)?")
_W3C: Final = TraceContextTextMapPropagator()
_BEGIN: Final = frozenset({SpanKind.SERVER, SpanKind.INTERNAL})


class Roots(Sampler):
    """Lets requests and our own works begin traces, all of them: their share was decided before.

    A statement, a poll or a send by itself is no trace: loops that look for work would make most of all.
    """

    def should_sample(  # the signature is OpenTelemetry's
        self,
        parent_context: Context | None,  # noqa: ARG002
        trace_id: int,  # noqa: ARG002
        name: str,  # noqa: ARG002
        kind: SpanKind | None = None,
        *_: Any,
        **__: Any,
    ) -> SamplingResult:
        return SamplingResult(Decision.RECORD_AND_SAMPLE if kind in _BEGIN else Decision.DROP)

    def get_description(self) -> str:
        return "Roots"


SAMPLER: Final = ParentBased(Roots())


class Carriers(TextMapPropagator):
    """Trace context on Kafka's records, replaced and never doubled; believed of HTTP's callers only where that is set.

    None goes out over HTTP: Stripe and the issuer have no use for it.
    """

    def __init__(self, *, trusts_callers: bool) -> None:
        self._trusts_callers = trusts_callers

    def extract(
        self, carrier: CarrierT, context: Context | None = None, getter: Getter[CarrierT] = default_getter
    ) -> Context:
        """Return the sender's context, or an empty one. A header of any bytes costs the trace, and never the record."""
        context = Context() if context is None else context
        if isinstance(carrier, dict) and not self._trusts_callers:
            return context
        try:
            return _W3C.extract(carrier, context, getter)
        except Exception:
            return context

    def inject(
        self,
        carrier: CarrierT,
        context: Context | None = None,
        setter: Setter[CarrierT] = default_setter,  # noqa: ARG002 - the signature is OpenTelemetry's
    ) -> None:
        """Put the running trace on a record, in place of what another one left there."""
        if isinstance(carrier, list):
            carrier[:] = [header for header in carrier if header[0] != TRACEPARENT]
            found = get_current_span(context).get_span_context()
            if found.is_valid:
                carrier.append((TRACEPARENT, header_of(found).encode()))

    @property
    def fields(self) -> set[str]:
        return {TRACEPARENT}


def header_of(context: SpanContext) -> str:
    """Return `traceparent`, version 00."""
    return f"00-{format_trace_id(context.trace_id)}-{format_span_id(context.span_id)}-{context.trace_flags:02x}"


def context_of(traceparent: str | None) -> SpanContext | None:
    """Return the context that `traceparent` names; None for none, and for a broken one."""
    found = _PARTS.fullmatch(traceparent) if traceparent else None
    if found is None:
        return None
    sampled = TraceFlags(TraceFlags.SAMPLED if found[3] in SAMPLED else TraceFlags.DEFAULT)
    context = SpanContext(int(found[1], 16), int(found[2], 16), is_remote=True, trace_flags=sampled)
    return context if context.is_valid else None


def contexts_of(traceparents: Iterable[str | None]) -> list[SpanContext]:
    """Return the different contexts that are sampled, in their order; where none is, the first of the others.

    A batch has hundreds, nearly none of them sampled: only what is used is read.
    """
    known = [one for one in traceparents if one]
    chosen = [one for one in known if one[54:55] in SAMPLED and one[54:55]] or known[:1]
    found = filter(None, map(context_of, chosen))
    return list({(one.trace_id, one.span_id): one for one in found}.values())


def is_text(scope: Scope) -> bool:
    """Return whether a request's head is UTF-8. OpenTelemetry decodes it, and would answer 500 in our place."""
    sent = [scope.get("query_string", b""), *(part for header in scope["headers"] for part in header)]
    try:
        b"".join(sent).decode()
    except UnicodeDecodeError:
        return False
    return True
