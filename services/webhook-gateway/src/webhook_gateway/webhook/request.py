"""A request as the hot path reads it: the headers that it wants, and a body within bounds of size and time."""

import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Final, NamedTuple

from webhook_gateway.deadlines import Deadlines

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

LIMIT: Final = 512 * 1024
"""Bytes (SPEC §4); Stripe's largest events are far below."""
DRAINED: Final = 4 * 1024 * 1024
"""Bytes of a body over the limit that are still read and dropped, so that its sender gets to see the answer."""
SECONDS: Final = 10.0
TRACEPARENT: Final = re.compile(rb"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
"""Version 00, no id all zeros. Source: https://www.w3.org/TR/trace-context/#traceparent-header."""


class Head(NamedTuple):
    """The headers that are wanted: the signature, the trace; `length` is 0 where none was declared."""

    signature: bytes | None = None
    length: int = 0
    traceparent: bytes | None = None


class BodyTooLarge(Exception):  # noqa: N818 - named for what it says
    """More than LIMIT bytes were declared or sent."""


class BodyTooSlow(Exception):  # noqa: N818 - named for what it says
    """The body was not complete within SECONDS."""


class SenderGone(Exception):  # noqa: N818 - named for what it says
    """The connection was closed before the body was complete: nobody waits for an answer."""


def read_head(headers: Iterable[tuple[bytes, bytes]]) -> Head:
    """Read the headers: several `Stripe-Signature` are one, as in all of HTTP, and several `traceparent` are none."""
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


async def read_body(*, declared: int, receive: Receive, deadlines: Deadlines) -> bytes:
    """Return the whole body; `declared` is its content-length, 0 where unknown. Raises what is named above."""
    try:
        with deadlines.within(SECONDS):
            return await _read(declared=declared, receive=receive)
    except TimeoutError:
        raise BodyTooSlow from None


async def _read(*, declared: int, receive: Receive) -> bytes:
    if declared > LIMIT:
        await _drain(receive, left=DRAINED if declared <= DRAINED else 0)
        raise BodyTooLarge
    chunk, more = await _chunk(receive)
    if not more and len(chunk) <= LIMIT:
        return chunk
    return await _joined([chunk], more=more, receive=receive)


async def _joined(chunks: list[bytes], *, more: bool, receive: Receive) -> bytes:
    size = len(chunks[0])
    while more and size <= LIMIT:
        chunk, more = await _chunk(receive)
        chunks.append(chunk)
        size += len(chunk)
    if size > LIMIT:
        await _drain(receive, left=DRAINED if more else 0)
        raise BodyTooLarge
    return b"".join(chunks)


async def _drain(receive: Receive, *, left: int) -> None:
    while left > 0:
        chunk, more = await _chunk(receive)
        left = left - len(chunk) if more else 0


async def _chunk(receive: Receive) -> tuple[bytes, bool]:
    message = await receive()
    if message["type"] != "http.request":
        raise SenderGone
    return message.get("body", b""), message.get("more_body", False)


def _trace(given: list[bytes]) -> bytes | None:
    return given[0] if len(given) == 1 and TRACEPARENT.fullmatch(given[0]) else None
