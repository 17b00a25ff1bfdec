"""aiokafka's instrumentation, kept from what is not sampled: for each record it makes spans, and a partition."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from opentelemetry import propagate
from opentelemetry.instrumentation.utils import is_instrumentation_enabled

SAMPLED: Final = tuple(b"13579bdf")
"""The last digit of a `traceparent` whose trace is sampled."""


def spare_what_is_not_sampled() -> None:
    """Wrap what the instrumentation has wrapped; called once, after it."""
    _spare_sends(AIOKafkaProducer.send)
    _spare_polls(AIOKafkaConsumer.getmany)


def _spare_sends(instrumented: Any) -> None:
    original = instrumented.__wrapped__

    async def send(self: Any, *given: Any, **options: Any) -> Any:
        if is_instrumentation_enabled():
            return await instrumented.__get__(self)(*given, **options)
        propagate.inject(options.get("headers"))
        return await original(self, *given, **options)

    AIOKafkaProducer.send = send


def _spare_polls(instrumented: Any) -> None:
    original, with_spans = instrumented.__wrapped__, instrumented._self_wrapper

    async def getmany(self: Any, *partitions: Any, **options: Any) -> Any:
        polled = await original(self, *partitions, **options)
        if sampled := _sampled(polled):

            async def again(*_: Any, **__: Any) -> Any:
                return sampled

            await with_spans(again, self, partitions, options)
        return polled

    AIOKafkaConsumer.getmany = getmany


def _sampled(polled: Mapping[Any, Sequence[Any]]) -> dict[Any, list[Any]]:
    found = {place: [record for record in records if _is_sampled(record)] for place, records in polled.items()}
    return {place: records for place, records in found.items() if records}


def _is_sampled(record: Any) -> bool:
    return any(name == "traceparent" and value and value[-1] in SAMPLED for name, value in record.headers)
