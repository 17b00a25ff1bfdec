"""The facts that Quittance publishes on Kafka; importable by other teams without Kafka or SQL."""

from contracts.addon_facts import AddonPriceProvisioned, AddonPriceRefused, AddonState
from contracts.envelope import Envelope, MalformedEnvelope
from contracts.fact import Fact
from contracts.plan_facts import PlanPrice, PlanPriceProvisioned, PlanState
from contracts.topics import (
    ADDON_PRICE,
    ADDON_STATE,
    ALL_TOPICS,
    FACTS,
    PLAN_PRICE,
    PLAN_STATE,
    PURCHASE_EVENTS,
    PURCHASE_STATE,
    SESSION_STATE,
    STRIPE_EVENTS,
    TOPICS,
    WORKSPACE_EVENTS,
    Topic,
    UnknownFact,
    read,
    seal,
)

__all__ = [
    "ADDON_PRICE",
    "ADDON_STATE",
    "ALL_TOPICS",
    "FACTS",
    "PLAN_PRICE",
    "PLAN_STATE",
    "PURCHASE_EVENTS",
    "PURCHASE_STATE",
    "SESSION_STATE",
    "STRIPE_EVENTS",
    "TOPICS",
    "WORKSPACE_EVENTS",
    "AddonPriceProvisioned",
    "AddonPriceRefused",
    "AddonState",
    "Envelope",
    "Fact",
    "MalformedEnvelope",
    "PlanPrice",
    "PlanPriceProvisioned",
    "PlanState",
    "Topic",
    "UnknownFact",
    "read",
    "seal",
]
