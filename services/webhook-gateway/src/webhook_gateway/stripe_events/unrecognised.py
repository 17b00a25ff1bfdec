"""An event of a handled type in a shape that no rule covers: published raw with its reason, parked by purchases."""

from typing import Final

from contracts.stripe_facts import UnrecognisedEvent
from stripe_reader.stripe_json import Json, UnknownShape, id_of, integer, part
from webhook_gateway.stripe_events.stripe_event import OutgoingFact, rfc3339

LONGEST_BODY: Final = 400_000
"""Characters. Escaped inside JSON they may double, and a Kafka record holds 1 MiB; Stripe keeps the whole event."""


def unrecognised(*, event: Json, body: bytes, reason: str, received_at: float) -> OutgoingFact:
    """Return the raw event as a fact; of its envelope only what can be read is filled in."""
    thing = part(event, "data", "object")
    api_version = event.get("api_version")
    fields = {
        "stripe_event_id": event["id"],
        "stripe_event_type": event["type"],
        "api_version": api_version if isinstance(api_version, str) else None,
        "livemode": event.get("livemode") is True,
        "occurred_at": _created(event) or rfc3339(int(received_at)),
        "object_id": _id(thing, "id") or event["id"],
        "customer_id": _id(thing, "customer"),
        "quittance_instance": None,
        "workspace_id": None,
        "purchase_id": None,
        "reason": reason,
        "body": _cut(body.decode()),
    }
    return OutgoingFact(UnrecognisedEvent, fields)


def _created(event: Json) -> str | None:
    try:
        return rfc3339(integer(event, "created"))
    except UnknownShape:
        return None


def _id(owner: Json, name: str) -> str | None:
    try:
        return id_of(owner.get(name))
    except UnknownShape:
        return None


def _cut(body: str) -> str:
    return body if len(body) <= LONGEST_BODY else f"{body[:LONGEST_BODY]}… (cut: {len(body)} characters)"
