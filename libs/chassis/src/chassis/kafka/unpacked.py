"""Unpacks a batch that its producer compressed, within bounds: what a batch says of its own size may be a lie.

aiokafka unpacks into as much memory as that takes. A kibibyte of zstd can hold gibibytes, and eight bytes of snappy can
ask for four of them at once, which ends the process; the batch would then be there again for the next one.
"""

import struct
import zlib
from collections.abc import Callable, Mapping
from typing import Any, Final

import cramjam
from aiokafka.errors import UnsupportedCodecError

MOST: Final = 64 << 20
"""Bytes that a batch may hold; the broker takes one of a mebibyte, packed."""
MOST_MEMBERS: Final = 64
"""Of a gzip stream; Kafka's producers write one."""
ROOMS: Final = (1 << 20, 8 << 20, MOST)
"""Tried in turn, since room is filled with zeros before it is used."""
CODEC: Final = 0b111
"""Of a batch's attributes, the bits that name its codec. https://kafka.apache.org/documentation/#recordbatch"""
_LENGTH: Final = struct.Struct(">i")
_LENGTH_AT: Final = 8
_COUNTED_FROM: Final = 12
_ATTRIBUTES: Final = struct.Struct(">h")
_ATTRIBUTES_AT: Final = 21
HEADER: Final = 61
"""Bytes of a batch before its records, which are never packed."""
XERIAL: Final = b"\x82SNAPPY\x00"
_XERIAL_HEADER: Final = 16
_GZIP: Final = 31


class TooLarge(ValueError):  # noqa: N818 - named for what it says
    """A batch holds more than MOST bytes, or says so."""


def unpacked(batch: bytes) -> bytes:
    """Return `batch`, of Kafka's message format 2, as its producer would have sent it without a codec.

    Its checksum stays that of the packed one. Raises UnsupportedCodecError for a codec that is not among CODECS,
    TooLarge, and whatever a codec says to bytes that are none of its own.
    """
    (attributes,) = _ATTRIBUTES.unpack_from(batch, _ATTRIBUTES_AT)
    codec = attributes & CODEC
    if not codec:
        return batch
    if codec not in CODECS:
        raise UnsupportedCodecError(f"codec {codec}")
    head = bytearray(batch[:HEADER])
    records = CODECS[codec](batch[HEADER:])
    _ATTRIBUTES.pack_into(head, _ATTRIBUTES_AT, attributes & ~CODEC)
    _LENGTH.pack_into(head, _LENGTH_AT, HEADER - _COUNTED_FROM + len(records))
    return bytes(head) + records


def _gzip(packed: bytes) -> bytes:
    """One or several members, one behind the other."""
    whole, members = b"", 0
    while packed:
        members += 1
        if members > MOST_MEMBERS:
            raise TooLarge  # each copies what is behind it
        member = zlib.decompressobj(_GZIP)
        whole += member.decompress(packed, MOST - len(whole) + 1)
        if len(whole) > MOST:
            raise TooLarge
        if not member.eof:
            raise EOFError("the end is missing")
        packed = member.unused_data
    return whole


def _snappy(packed: bytes) -> bytes:
    """Bare, as librdkafka may send it, or in the blocks of Java's library, each behind its length."""
    if not packed.startswith(XERIAL):
        return _snappy_block(packed, MOST)
    whole, position = bytearray(), _XERIAL_HEADER
    while position < len(packed):
        (length,) = _LENGTH.unpack_from(packed, position)
        position += _LENGTH.size
        if not 0 <= length <= len(packed) - position:
            raise EOFError("a block is cut off")
        whole += _snappy_block(packed[position : position + length], MOST - len(whole))
        position += length
    return bytes(whole)


def _snappy_block(packed: bytes, most: int) -> bytes:
    if cramjam.snappy.decompress_raw_len(packed) > most:
        raise TooLarge
    return bytes(cramjam.snappy.decompress_raw(packed))


def _into_rooms(decompress_into: Callable[[bytes, bytearray], int]) -> Callable[[bytes], bytes]:
    def decompress(packed: bytes) -> bytes:
        for size in ROOMS[:-1]:
            try:
                return _into(decompress_into, packed, size)
            except cramjam.DecompressionError:
                continue  # what is wrong is seen in the largest room too
        return _into(decompress_into, packed, ROOMS[-1])

    return decompress


def _into(decompress_into: Callable[[bytes, bytearray], int], packed: bytes, size: int) -> bytes:
    room: Any = bytearray(size)
    return bytes(memoryview(room)[: decompress_into(packed, room)])


CODECS: Final[Mapping[int, Callable[[bytes], bytes]]] = {
    1: _gzip,
    2: _snappy,
    3: _into_rooms(cramjam.lz4.decompress_into),
    4: _into_rooms(cramjam.zstd.decompress_into),
}
"""By Kafka's number: gzip, snappy, lz4, zstd."""
