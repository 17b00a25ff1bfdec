"""The facts that Quittance publishes on Kafka; importable by other teams without Kafka or SQL."""

from contracts.addon_facts import AddonState
from contracts.envelope import Envelope, MalformedEnvelope
from contracts.fact import Fact
from contracts.topics import ALL_TOPICS, FACTS, TOPICS, Topic, UnknownFact, read, seal

__all__ = [
    "ALL_TOPICS",
    "FACTS",
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
