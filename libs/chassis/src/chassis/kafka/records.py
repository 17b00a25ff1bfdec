"""A Kafka record, decoded: the fact and its envelope, or why there is none."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any, Final, Protocol

from pydantic import ValidationError

from chassis.texts import printable
from chassis.tracing import spans
from contracts import Envelope, Fact, MalformedEnvelope, UnknownFact, read

MAX_REASON: Final = 1000
"""Characters: a reason may name a field, whose name the sender chose."""


class Record(Protocol):
    """What we use of aiokafka's ConsumerRecord. In a header's name, bytes that are not UTF-8 are surrogate escapes."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]: ...


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record read back from the `parked` table."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One fact as it came off Kafka."""

    envelope: Envelope
    fact: Fact
    record: Record

    @property
    def digest(self) -> int | None:
        """What its body is known by in the inbox: 64 bits, signed as PostgreSQL's are.

        None for one that is backfilled: its source may have rendered it anew, and that is no other fact.
        """
        if self.envelope.backfilled:
            return None
        return int.from_bytes(blake2b(self.record.value or b"", digest_size=8).digest(), "big", signed=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Malformed:
    """A record that holds no fact that we can read."""

    record: Record
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """A fact of a type or version that this version of ours does not know, and so has no use for."""

    record: Record
    type: str


def span_of(received: Received) -> AbstractContextManager[None]:
    """Run the block in the trace of one fact, so that what it causes is part of it, whatever its batch brought."""
    envelope = received.envelope
    about = {"fact.id": str(envelope.id), "fact.type": envelope.type, "fact.subject": envelope.subject}
    return spans.span("apply fact", after=[envelope.traceparent], attributes=about)


def decode(record: Record) -> Received | Malformed | Unknown:
    """Read one record, of whatever bytes."""
    try:
        envelope = Envelope.from_headers(record.headers)
        return Received(envelope=envelope, fact=read(type=envelope.type, value=record.value or b""), record=record)
    except UnknownFact as unknown:
        return Unknown(record=record, type=str(unknown))
    except MalformedEnvelope as error:
        return malformed(record, f"malformed envelope: {error}")
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False, include_context=False)[:5]
        return malformed(record, "malformed body: " + "; ".join(map(_described, faults)))
    except Exception as error:
        return malformed(record, f"unreadable: {error!r}")


def malformed(record: Record, reason: str) -> Malformed:
    """Return the record with a reason that PostgreSQL and a log can hold."""
    return Malformed(record=record, reason=printable(reason[:MAX_REASON]))


def _described(fault: Any) -> str:
    return f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}"


async def raw_records(message: Any) -> Any:
    """FastStream decoder: the handler gets the untouched records. A list of models would lose a batch for one."""
    return message.raw_message


async def safe_parser(records: Any, original: Any) -> Any:
    """FastStream parser that looks at no header: one that is null or not UTF-8 would drop the whole polled batch."""
    message = await original((replace(records[0], headers=()),))
    message.raw_message = records
    return message
