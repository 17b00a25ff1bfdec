"""A fact as the Kafka record that carries it: topic, key, CloudEvents headers, JSON body."""

from typing import Final, NamedTuple

import orjson

from contracts.topics import STRIPE_EVENTS
from webhook_gateway.stripe_events.headers import headers_of
from webhook_gateway.stripe_events.told import Told

LONGEST_VALUE: Final = 1_000_000
"""Bytes; Kafka's default limit for a record is 1 MiB with its headers."""


class Record(NamedTuple):
    """What a producer needs to send."""

    topic: str
    key: bytes
    headers: list[tuple[str, bytes]]
    value: bytes


def record_of(told: Told, *, traceparent: bytes | None = None) -> Record:
    """The record of one fact; a replay of the same event gives the same `ce_id`, so that consumers drop it."""
    return Record(
        topic=STRIPE_EVENTS.name,
        key=told.key.encode(),
        headers=headers_of(told, traceparent=traceparent),
        value=orjson.dumps(told.fields, default=vars, option=orjson.OPT_UTC_Z),
    )
