"""The event around the object: what every Stripe event carries, and the fact that goes out for it.

An OutgoingFact is not yet a model: making a pydantic model only to write it as JSON costs three times what writing its
fields does. A test holds every fact that can go out to its closed schema, and to what its model would have written.
"""

from typing import Any, NamedTuple

from contracts.stripe_facts import StripeFact
from stripe_reader.origin import StripeObject
from stripe_reader.stripe_json import Json, UnknownShape, integer, text, utc_time


class StripeEvent(NamedTuple):
    """One webhook event, its envelope read and its object untouched."""

    id: str
    type: str
    api_version: str | None
    livemode: bool
    occurred_at: str
    """The event's `created` (whole seconds), RFC 3339 in UTC."""
    object: Json


def read_event(event: Json) -> StripeEvent:
    """Read the envelope. Raises UnknownShape. Source: https://docs.stripe.com/api/events/object."""
    data = event.get("data")
    thing = data.get("object") if isinstance(data, dict) else None
    if not isinstance(thing, dict):
        raise UnknownShape("data.object is missing or no object")
    livemode = event.get("livemode")
    if type(livemode) is not bool:
        raise UnknownShape("livemode is missing or no boolean")
    return StripeEvent(
        id=event["id"],
        type=event["type"],
        api_version=text(event, "api_version"),
        livemode=livemode,
        occurred_at=rfc3339(integer(event, "created")),
        object=thing,
    )


def rfc3339(seconds: int) -> str:
    """Return Unix seconds as RFC 3339 text in UTC. Raises UnknownShape when no calendar has such a day."""
    return f"{utc_time(seconds).isoformat()[:-6]}Z"


class OutgoingFact(NamedTuple):
    """All fields of one fact of `kind`; `occurred_at` is RFC 3339 text, other times are times in UTC."""

    kind: type[StripeFact]
    fields: dict[str, Any]

    @property
    def key(self) -> str:
        """Return what `StripeFact.key` would."""
        customer_id: str | None = self.fields["customer_id"]
        return customer_id or self.subject

    @property
    def subject(self) -> str:
        """Return what `StripeFact.subject` would."""
        object_id: str = self.fields["object_id"]
        return object_id


def outgoing_fact(kind: type[StripeFact], event: StripeEvent, value: StripeObject, /, **more: Any) -> OutgoingFact:
    """Return the fact of an event: its envelope, what was read of its object, and what only this fact says."""
    return OutgoingFact(kind, {**envelope_of(event), **vars(value), **more})


def envelope_of(event: StripeEvent) -> dict[str, Any]:
    """Return what every fact repeats of its event."""
    return {
        "stripe_event_id": event.id,
        "stripe_event_type": event.type,
        "api_version": event.api_version,
        "livemode": event.livemode,
        "occurred_at": event.occurred_at,
    }
