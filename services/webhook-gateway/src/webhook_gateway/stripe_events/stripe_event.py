"""The event around the object: what every Stripe event carries, and what of it every fact repeats."""

from typing import Any, NamedTuple

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


def envelope_of(event: StripeEvent) -> dict[str, Any]:
    """Return what every fact repeats of its event."""
    return {
        "stripe_event_id": event.id,
        "stripe_event_type": event.type,
        "api_version": event.api_version,
        "livemode": event.livemode,
        "occurred_at": event.occurred_at,
    }
