"""Has aiokafka hand over every record of a batch, whatever bytes it holds.

aiokafka decodes the names of headers while it reads a batch. One that is not UTF-8 fails the fetch of its partition,
and each fetch after it (0.14, `DefaultRecordBatch.__next__`: in C a UnicodeDecodeError, in Python a
CorruptRecordException).
Here such a batch is read once more, from where that happened: a name keeps its bytes as surrogate escapes, and what is
no record at all is handed over as the value of an otherwise empty one, at its own offset. A batch that is compressed is
unpacked before (`chassis.kafka.unpacked`); one that cannot be is handed over as one such record, at its last offset.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from aiokafka.consumer import fetcher
from aiokafka.errors import UnsupportedCodecError
from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordBatchPy, _DefaultRecordPy
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import decode_varint

from chassis.kafka.unpacked import unpacked
from chassis.process.logs import get_logger

log = get_logger(__name__)

_VARINT: Final = 10
"""The most bytes that a varint of 64 bits takes."""
_LENGTH_AT: Final = 8
_BEFORE_LENGTH_ENDS: Final = 12


def read_every_record() -> None:
    """Have the consumers of this process read so; it may be called twice."""
    fetcher.MemoryRecords = EveryRecord


class EveryRecord:
    """What aiokafka's fetcher asks of the records of one answer."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._records = MemoryRecords(data)

    def size_in_bytes(self) -> int:
        return int(self._records.size_in_bytes())

    def has_next(self) -> bool:
        return bool(self._records.has_next())

    def next_batch(self) -> Any:
        batch = self._records.next_batch()
        return _Batch(batch, self._data) if type(batch) is DefaultRecordBatch else batch


class _Batch:
    """A batch as aiokafka reads it, until that fails."""

    def __init__(self, batch: Any, data: bytes) -> None:
        self._batch = batch
        self._data = data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        return self._unpacked() if self._batch.compression_type else _records(self._batch, self._bytes)

    def _unpacked(self) -> Iterator[Any]:
        packed = self._bytes()
        try:
            plain = unpacked(packed)
        except (UnsupportedCodecError, MemoryError):
            raise  # nothing is wrong with the records: this process cannot unpack them, or not now
        except Exception as error:
            batch = _DefaultRecordBatchPy(packed)
            log.warning(
                "batch_not_unpacked", codec=batch.compression_type, records=batch._num_records, error=repr(error)[:300]
            )
            return iter([_unreadable(batch.next_offset - 1, packed)])
        return _records(DefaultRecordBatch(plain), lambda: plain)

    def _bytes(self) -> bytes:
        """Return this batch's own bytes, found in the answer by its first offset."""
        position = 0
        while True:
            start = position + _LENGTH_AT
            end = position + _BEFORE_LENGTH_ENDS + int.from_bytes(self._data[start : start + 4], "big")
            if int.from_bytes(self._data[position : position + 8], "big") == self._batch.base_offset:
                return self._data[position:end]
            position = end


def _records(batch: Any, data: Callable[[], bytes]) -> Iterator[Any]:
    """Read the records of a batch that is not packed; `data` are its bytes, asked for where aiokafka cannot read it."""
    read = batch.base_offset - 1
    try:
        for record in batch:
            read = record.offset
            yield record
    except Exception:
        yield from (record for record in _any_records(data()) if record.offset > read)


def _any_records(data: bytes) -> Iterator[_DefaultRecordPy]:
    batch = _DefaultRecordBatchPy(data)
    buffer, position, offset = bytes(batch._buffer), batch._pos, batch.base_offset - 1
    for _ in range(batch._num_records):
        start, end = _bounds(buffer, position)
        record = _record(batch, buffer[start:end]) or _unreadable(offset + 1, buffer[start:end])
        yield record
        offset, position = record.offset, end


def _bounds(buffer: bytes, position: int) -> tuple[int, int]:
    """Return where the next record begins and ends; all that is left, where its length is none."""
    try:
        # Its few bytes alone: a copy of what may be 64 MiB, for each record, would hold up the loop for hours.
        length, size = decode_varint(bytearray(buffer[position : position + _VARINT]), 0)
    except (IndexError, ValueError):
        return position, len(buffer)
    start = position + size
    return (start, start + length) if 0 <= length <= len(buffer) - start else (position, len(buffer))


def _record(batch: _DefaultRecordBatchPy, data: bytes) -> _DefaultRecordPy | None:
    """Read attributes, two deltas, key, value and headers; None where that is not what stands there."""
    try:
        fields = _Fields(data)
        fields.number()
        timestamp = batch.first_timestamp + fields.number()
        offset = batch.base_offset + fields.number()
        key, value = fields.nullable(), fields.nullable()
        headers = [(fields.name(), fields.nullable()) for _ in range(fields.number())]
    except (IndexError, ValueError):
        return None
    return _DefaultRecordPy(offset, timestamp, batch.timestamp_type, key, value, headers)


def _unreadable(offset: int, data: bytes) -> _DefaultRecordPy:
    return _DefaultRecordPy(offset, -1, 0, None, data, [])


class _Fields:
    """The fields of a record, one after the other. Raises IndexError or ValueError where there is none."""

    def __init__(self, data: bytes) -> None:
        self._data = bytearray(data)
        self._position = 0

    def number(self) -> int:
        number, self._position = decode_varint(self._data, self._position)
        return int(number)

    def nullable(self) -> bytes | None:
        length = self.number()
        return None if length < 0 else self._take(length)

    def name(self) -> str:
        return self._take(self.number()).decode("utf-8", "surrogateescape")

    def _take(self, length: int) -> bytes:
        end = self._position + length
        if length < 0 or end > len(self._data):
            raise IndexError(length)
        taken, self._position = bytes(self._data[self._position : end]), end
        return taken
