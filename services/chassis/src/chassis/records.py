"""A Kafka record, decoded: the fact and its envelope, or why there is none."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from pydantic import ValidationError

from contracts import Envelope, Fact, MalformedEnvelope, UnknownFact, read


class Record(Protocol):
    """What we use of aiokafka's ConsumerRecord."""

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
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record read back from the `parked` table."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One fact as it came off Kafka."""

    envelope: Envelope
    fact: Fact
    record: Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Malformed:
    """A record that holds no fact that we can read."""

    record: Record
    reason: str


def decode(record: Record) -> Received | Malformed | None:
    """Read one record; None for a fact type that this version does not know and so has no use for."""
    try:
        envelope = Envelope.from_headers(record.headers)
        return Received(envelope=envelope, fact=read(type=envelope.type, value=record.value or b""), record=record)
    except UnknownFact:
        return None
    except MalformedEnvelope as error:
        return Malformed(record=record, reason=f"malformed envelope: {error}")
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_url=False)[:5])
        return Malformed(record=record, reason=f"malformed body: {faults}")


async def raw_records(message: Any) -> Any:
    """FastStream decoder: the handler gets the untouched records. A list of models would lose a batch for one."""
    return message.raw_message


async def safe_parser(records: Any, original: Any) -> Any:
    """FastStream parser that survives headers that are null or not UTF-8, which would drop the whole polled batch."""
    if all(_is_text(value) for record in records for _, value in record.headers):
        return await original(records)
    readable = tuple(
        replace(record, headers=tuple(pair for pair in record.headers if _is_text(pair[1]))) for record in records
    )
    message = await original(readable)
    message.raw_message = records
    return message


def _is_text(value: bytes | None) -> bool:
    try:
        return value is not None and value.decode() is not None
    except UnicodeDecodeError:
        return False
