"""A record as the table `parked` holds it, and back."""

import base64
from collections.abc import Sequence
from typing import Any

from chassis.kafka.records import Record, StoredRecord


def columns_of(record: Record) -> dict[str, Any]:
    """Return the record as the columns of `parked` hold it: any bytes, also where a header's name is no text."""
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "key": record.key,
        "value": record.value,
        "headers": [_stored_header(name, value) for name, value in record.headers],
    }


def _stored_header(name: str, value: bytes | None) -> list[str | None]:
    """Name and value in base 64; a name that is no text for PostgreSQL is null, and its bytes stand third."""
    held = None if value is None else base64.b64encode(value).decode()
    return [name, held] if name.isprintable() else [None, held, base64.b64encode(bytes_of(name)).decode()]


def bytes_of(name: str) -> bytes:
    """Return a header's name as Kafka had it."""
    return name.encode("utf-8", "surrogateescape")


def record_of(row: Any) -> StoredRecord:
    """Return the record that a row of `parked` holds."""
    headers = headers_of(row["headers"])
    return StoredRecord(row["topic"], row["partition"], row["offset"], row["key"], row["value"], headers)


def headers_of(stored: Sequence[Any]) -> list[tuple[str, bytes]]:
    """Return the headers of a parked record, as Kafka had them, without those that were null."""
    return [(_name(*header), base64.b64decode(header[1])) for header in stored if header[1] is not None]


def _name(name: str | None, _: str, raw: str | None = None) -> str:
    return base64.b64decode(raw or "").decode("utf-8", "surrogateescape") if name is None else name
