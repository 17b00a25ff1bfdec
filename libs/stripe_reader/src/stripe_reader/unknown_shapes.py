"""An object in an unknown shape: what it can still say of whose it is, and whether that is enough."""

import json
from dataclasses import dataclass
from typing import Final

from stripe_reader.stripe_json import Json, UnknownShape, id_of

REFERENCES: Final = ("id", "invoice", "payment_intent", "charge", "subscription", "checkout_session")
OUR_KEYS: Final = ("quittance_instance", "workspace_id", "purchase_id", "purchase_ids")


@dataclass(frozen=True, slots=True)
class OwnerHints:
    """What an object says of whose it is."""

    customer_id: str | None = None
    ids: frozenset[str] = frozenset()
    has_our_metadata: bool = False
    """Its metadata has a key of ours."""
    is_readable: bool = False
    """Its customer, its metadata and its ids could all be read: of what could not be, nobody knows whose it is."""


NOTHING: Final = OwnerHints()


def read_owner_hints(body: str) -> OwnerHints:
    """Return what the raw event says; NOTHING of what cannot be read, or was cut."""
    try:
        event = json.loads(body)
    except ValueError:
        return NOTHING
    data = event.get("data", event) if isinstance(event, dict) else None
    thing = data.get("object", data) if isinstance(data, dict) else None
    return owner_hints_of(thing if isinstance(thing, dict) else data) if isinstance(data, dict) else NOTHING


def owner_hints_of(thing: Json) -> OwnerHints:
    """Return what an object says of whose it is; what cannot be read is left out."""
    references = [thing.get(name) for name in REFERENCES]
    ids = [_id(reference) for reference in references]
    customer, metadata = _id(thing.get("customer")), thing.get("metadata", {})
    whole = all(found is not None for found, value in zip(ids, references, strict=True) if value is not None)
    readable = whole and customer is not None and isinstance(metadata, dict)
    named = isinstance(metadata, dict) and any(key in metadata for key in OUR_KEYS)
    return OwnerHints(customer, frozenset(filter(None, ids)), named, readable)


def _id(value: object) -> str | None:
    try:
        return id_of(value)
    except UnknownShape:
        return None
