"""The CloudEvents headers of a fact: what `contracts.seal(...).to_headers()` gives, at a third of its cost.

A test holds the two together for every fact of the gateway.
"""

from functools import cache
from hashlib import sha1
from typing import Final

from contracts.envelope import CONTENT_TYPE
from contracts.fact import NAMESPACE
from contracts.stripe_facts import StripeFact
from contracts.topics import TOPICS

Header = tuple[str, bytes]

SPECVERSION: Final[Header] = ("ce_specversion", b"1.0")
CONTENT: Final[Header] = ("content-type", CONTENT_TYPE.encode())
VERSION_5: Final = (0x5 << 76) | (0x8 << 60)
CLEARED: Final = ~((0xF << 76) | (0xC << 60))


def headers_of(fact: StripeFact) -> list[Header]:
    """In the envelope's order; `ce_time` is the event's own, in UTC."""
    kind, source = _of_type(type(fact))
    time = fact.occurred_at.isoformat().replace("+00:00", "Z").encode()
    return [
        SPECVERSION,
        ("ce_id", uuid5_text(f"{fact.TYPE}:{fact.identity}").encode()),
        kind,
        source,
        ("ce_subject", fact.subject.encode()),
        ("ce_time", time),
        CONTENT,
    ]


def uuid5_text(name: str) -> str:
    """`str(uuid5(NAMESPACE, name))`. Source: RFC 9562, section 5.5."""
    digest = sha1(NAMESPACE.bytes + name.encode(), usedforsecurity=False).digest()
    text = f"{int.from_bytes(digest[:16], 'big') & CLEARED | VERSION_5:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


@cache
def _of_type(kind: type[StripeFact]) -> tuple[Header, Header]:
    return ("ce_type", kind.TYPE.encode()), ("ce_source", f"/quittance/{TOPICS[kind].owner}".encode())
