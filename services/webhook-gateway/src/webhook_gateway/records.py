"""A fact as the Kafka record that carries it: topic, key, CloudEvents headers, JSON body."""

from typing import Final, NamedTuple

from contracts.stripe_facts import StripeFact
from contracts.topics import STRIPE_EVENTS
from webhook_gateway.headers import headers_of

LONGEST_VALUE: Final = 1_000_000
"""Bytes; Kafka's default limit for a record is 1 MiB with its headers."""


class Record(NamedTuple):
    """What a producer needs to send."""

    topic: str
    key: bytes
    headers: list[tuple[str, bytes]]
    value: bytes


def record_of(fact: StripeFact) -> Record:
    """The record of one fact; a replay of the same event gives the same `ce_id`, so that consumers drop it."""
    return Record(
        topic=STRIPE_EVENTS.name,
        key=fact.key.encode(),
        headers=headers_of(fact),
        value=fact.model_dump_json().encode(),
    )
