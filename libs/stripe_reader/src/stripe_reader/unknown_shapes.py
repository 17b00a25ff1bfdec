"""An object in an unknown shape: what it can still say of whose it is, and whether that is enough."""

import json
from dataclasses import dataclass
from typing import Final

from stripe_reader.stripe_json import Json, UnknownShape, id_of

REFERENCES: Final = ("id", "invoice", "payment_intent", "charge", "subscription", "checkout_session")
OUR_KEYS: Final = ("quittance_instance", "workspace_id", "purchase_id", "purchase_ids")


@dataclass(frozen=True, slots=True)
class Names:
    """What an object says of itself."""

    customer_id: str | None = None
    ids: frozenset[str] = frozenset()
    names_us: bool = False
    """Its metadata has a key of ours."""
    is_readable: bool = False
    """Its customer, its metadata and its ids could all be read: of what could not, nobody says whose it is."""


NOTHING: Final = Names()


def read_names(body: str) -> Names:
    """Return what the raw event says; NOTHING of what cannot be read, or was cut."""
    try:
        event = json.loads(body)
    except ValueError:
        return NOTHING
    data = event.get("data", event) if isinstance(event, dict) else None
    thing = data.get("object", data) if isinstance(data, dict) else None
    return names_of(thing if isinstance(thing, dict) else data) if isinstance(data, dict) else NOTHING


def names_of(thing: Json) -> Names:
    """Return what an object says of itself; what cannot be read is left out."""
    told = [thing.get(name) for name in REFERENCES]
    ids = [_id(one) for one in told]
    customer, metadata = _id(thing.get("customer")), thing.get("metadata", {})
    whole = all(one is not None for one, value in zip(ids, told, strict=True) if value is not None)
    readable = whole and customer is not None and isinstance(metadata, dict)
    named = isinstance(metadata, dict) and any(key in metadata for key in OUR_KEYS)
    return Names(customer, frozenset(one for one in ids if one), named, readable)


def _id(value: object) -> str | None:
    try:
        return id_of(value)
    except UnknownShape:
        return None
