"""The event around the object: what every Stripe event carries, and what of it every fact repeats."""

from datetime import UTC, datetime
from typing import Any, NamedTuple

from webhook_gateway.presence import Json, UnknownShape, id_of, integer, required_id, text


class StripeEvent(NamedTuple):
    """One webhook event, its envelope read and its object untouched."""

    id: str
    type: str
    api_version: str | None
    livemode: bool
    occurred_at: datetime
    """The event's `created` (whole seconds)."""
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
        occurred_at=moment(integer(event, "created")),
        object=thing,
    )


def moment(seconds: int) -> datetime:
    """Unix seconds as an aware time. Raises UnknownShape when no calendar has such a day."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError) as error:
        raise UnknownShape(f"{seconds} is no time") from error


def origin(event: StripeEvent, *more_metadata: Json) -> dict[str, Any]:
    """What every fact repeats; our metadata is looked for on the object, then in `more_metadata`, in that order."""
    thing = event.object
    sources = (metadata_of(thing), *more_metadata)
    return {
        "stripe_event_id": event.id,
        "stripe_event_type": event.type,
        "api_version": event.api_version,
        "livemode": event.livemode,
        "occurred_at": event.occurred_at,
        "object_id": required_id(thing, "id"),
        "customer_id": id_of(thing.get("customer")),
        "quittance_instance": first(sources, "quittance_instance"),
        "workspace_id": first(sources, "workspace_id"),
        "purchase_id": first(sources, "purchase_id"),
    }


def metadata_of(owner: Json) -> Json:
    """The object's metadata; Stripe sends an empty object, null, or nothing where there is none."""
    value = owner.get("metadata")
    if value is None:
        return {}
    if isinstance(value, dict):
        return value
    raise UnknownShape("metadata is no object")


def first(sources: tuple[Json, ...], name: str) -> str | None:
    """The first value that is there; an empty one is how Stripe spells a key that was unset."""
    for source in sources:
        if value := text(source, name):
            return value
    return None
