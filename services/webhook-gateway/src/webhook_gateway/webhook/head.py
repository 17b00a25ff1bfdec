"""What the hot path wants of a request's headers: the signature, the declared length, the trace that it belongs to."""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

TRACEPARENT: Final = re.compile(rb"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
"""Version 00, no id all zeros. Source: https://www.w3.org/TR/trace-context/#traceparent-header."""


class Head(NamedTuple):
    """`length` is 0 where none was declared."""

    signature: bytes | None = None
    length: int = 0
    traceparent: bytes | None = None


def read_head(headers: Iterable[tuple[bytes, bytes]]) -> Head:
    """Several `Stripe-Signature` headers are one, as in all of HTTP; several `traceparent` headers are none."""
    signature: bytes | None = None
    traces: list[bytes] = []
    length = 0
    for name, value in headers:
        if name == b"stripe-signature":
            signature = value if signature is None else signature + b"," + value
        elif name == b"content-length" and value.isdigit():
            length = int(value[:18])
        elif name == b"traceparent":
            traces.append(value)
    return Head(signature, length, _trace(traces))


def _trace(given: list[bytes]) -> bytes | None:
    return given[0] if len(given) == 1 and TRACEPARENT.fullmatch(given[0]) else None
