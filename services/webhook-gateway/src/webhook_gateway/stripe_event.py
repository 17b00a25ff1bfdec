"""The event around the object: what every Stripe event carries, and what of it every fact repeats."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from webhook_gateway.presence import Json, UnknownShape, id_of, integer, optional_integer, required_id, text

OUR_KEYS: Final = frozenset({"quittance_instance", "workspace_id", "purchase_id"})


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
        occurred_at=moment(integer(event, "created")),
        object=thing,
    )


def moment(seconds: int) -> str:
    """Unix seconds as RFC 3339 text in UTC. Raises UnknownShape when no calendar has such a day."""
    try:
        return f"{datetime.fromtimestamp(seconds, UTC).isoformat()[:-6]}Z"
    except (OverflowError, ValueError, OSError) as error:
        raise UnknownShape(f"{seconds} is no time") from error


def moment_of(owner: Json, name: str) -> str | None:
    """RFC 3339 text of a time that may be absent or null."""
    seconds = optional_integer(owner, name)
    return None if seconds is None else moment(seconds)


def origin(event: StripeEvent, *, elsewhere: Callable[[], Iterable[Json]] = tuple) -> dict[str, Any]:
    """What every fact repeats. Our metadata is looked for on the object, and only what it lacks `elsewhere`."""
    thing = event.object
    own = metadata_of(thing)
    if not own.keys() >= OUR_KEYS:
        own = filled(own, elsewhere())
    return {
        "stripe_event_id": event.id,
        "stripe_event_type": event.type,
        "api_version": event.api_version,
        "livemode": event.livemode,
        "occurred_at": event.occurred_at,
        "object_id": required_id(thing, "id"),
        "customer_id": id_of(thing.get("customer")),
        "quittance_instance": text(own, "quittance_instance") or None,
        "workspace_id": text(own, "workspace_id") or None,
        "purchase_id": text(own, "purchase_id") or None,
    }


def filled(own: Json, sources: Iterable[Json]) -> Json:
    """`own` with what only `sources` have, earlier ones first; an empty value is how Stripe spells an unset key."""
    merged: dict[str, Any] = {}
    for source in (own, *sources):
        merged = {name: value for name, value in source.items() if value} | merged
    return merged


def metadata_of(owner: Json) -> Json:
    """The object's metadata; Stripe sends an empty object, null, or nothing where there is none."""
    value = owner.get("metadata")
    if value is None:
        return {}
    if isinstance(value, dict):
        return value
    raise UnknownShape("metadata is no object")
