"""The facts that Quittance publishes on Kafka; importable by other teams without Kafka or SQL."""

from contracts.addon_facts import AddonState
from contracts.envelope import Envelope, MalformedEnvelope
from contracts.fact import Fact
from contracts.topics import (
    ADDON_STATE,
    ALL_TOPICS,
    FACTS,
    PURCHASE_EVENTS,
    PURCHASE_STATE,
    STRIPE_EVENTS,
    TOPICS,
    Topic,
    UnknownFact,
    read,
    seal,
)

__all__ = [
    "ADDON_STATE",
    "ALL_TOPICS",
    "FACTS",
    "PURCHASE_EVENTS",
    "PURCHASE_STATE",
    "STRIPE_EVENTS",
    "TOPICS",
    "AddonState",
    "Envelope",
    "Fact",
    "MalformedEnvelope",
    "Topic",
    "UnknownFact",
    "read",
    "seal",
]
