"""Whatever a batch says of its own size, unpacking it takes bounded room, and what is wrong with it is an exception."""

import struct
import zlib
from collections.abc import Callable
from typing import Final

import cramjam
import pytest
from aiokafka.codec import gzip_encode, lz4_encode, snappy_encode, zstd_encode
from aiokafka.errors import UnsupportedCodecError
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.kafka.unpacked import CODECS, HEADER, MOST, XERIAL, TooLarge, unpacked

GZIP, SNAPPY, LZ4, ZSTD = 1, 2, 3, 4
ENCODERS: Final = {GZIP: gzip_encode, SNAPPY: snappy_encode, LZ4: lz4_encode, ZSTD: zstd_encode}
FOUR_GIBIBYTES: Final = b"\xff\xff\xff\xff\x0f"


def batch(codec: int, packed: bytes) -> bytes:
    """Its header, of which only the length and the codec count here."""
    head = struct.pack(">qi", 7, HEADER - 12 + len(packed)) + bytes(9) + struct.pack(">h", codec)
    return head + bytes(HEADER - len(head)) + packed


@given(st.binary(max_size=300), st.sampled_from(sorted(ENCODERS)))
def test_a_packed_batch_becomes_the_plain_one(records: bytes, codec: int) -> None:
    assert unpacked(batch(codec, ENCODERS[codec](records))) == batch(0, records)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60), st.sampled_from(sorted(CODECS)))
def test_any_bytes_are_records_or_an_exception(packed: bytes, codec: int) -> None:
    """And nothing that would end the process."""
    assert not isinstance(refusal_of(batch(codec, packed)), MemoryError)


def refusal_of(packed: bytes) -> Exception | None:
    try:
        unpacked(packed)
    except Exception as error:
        return error
    return None


BOMBS: Final[dict[str, tuple[int, Callable[[], bytes]]]] = {
    "gzip": (GZIP, lambda: zlib.compress(bytes(MOST + 1), wbits=31)),
    "gzip in two members": (GZIP, lambda: 2 * zlib.compress(bytes(MOST // 2 + 1), wbits=31)),
    "snappy says four gibibytes": (SNAPPY, lambda: FOUR_GIBIBYTES + b"abc"),
    "so does a block": (SNAPPY, lambda: XERIAL + bytes(8) + struct.pack(">i", 8) + FOUR_GIBIBYTES + b"abc"),
    "lz4": (LZ4, lambda: bytes(lz4_encode(bytes(MOST + 1), level=1))),
    "zstd": (ZSTD, lambda: bytes(zstd_encode(bytes(MOST + 1)))),
}
"""Made by the test, and not by every process that collects it."""


@pytest.mark.parametrize("case", BOMBS)
def test_what_holds_too_much_is_refused(case: str) -> None:
    codec, bomb = BOMBS[case]
    packed = batch(codec, bomb())

    with pytest.raises((TooLarge, cramjam.DecompressionError)):
        unpacked(packed)


def test_a_codec_that_kafka_does_not_have_yet_is_said_to_be_one() -> None:
    with pytest.raises(UnsupportedCodecError):
        unpacked(batch(5, b"x"))
