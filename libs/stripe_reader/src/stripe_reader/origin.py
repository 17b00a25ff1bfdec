"""Whose object it is: its customer, and what our metadata says, on it or on what it shows expanded."""

from collections.abc import Callable, Iterable
from typing import Any, Final, TypedDict

from stripe_reader.stripe_json import Json, UnknownShape, id_of, required_id, text
from stripe_reader.value import Value

OUR_KEYS: Final = frozenset({"quittance_instance", "workspace_id", "purchase_id"})
PURCHASE_IDS: Final = ("purchase_ids", "purchase_ids_2")
"""The keys of our metadata that name the purchases of a bundle."""
IDS_PER_VALUE: Final = 12
"""A metadata value holds 500 characters, one of our ids and its comma 37."""


class StripeObject(Value):
    """What every object says of where it belongs."""

    object_id: str
    customer_id: str | None
    quittance_instance: str | None
    workspace_id: str | None
    purchase_id: str | None


class Origin(TypedDict):
    """The fields of `StripeObject`."""

    object_id: str
    customer_id: str | None
    quittance_instance: str | None
    workspace_id: str | None
    purchase_id: str | None


def read_origin(thing: Json, *, elsewhere: Callable[[], Iterable[Json]] = tuple, payers: Iterable[Json] = ()) -> Origin:
    """Return where an object belongs. Raises UnknownShape.

    Of our metadata what the object lacks is read `elsewhere`; where it has no customer, that of the first of `payers`
    that has one.
    """
    own = metadata_of(thing)
    if not own.keys() >= OUR_KEYS:
        own = fill(own, elsewhere())
    return Origin(
        object_id=required_id(thing, "id"),
        customer_id=id_of(thing.get("customer")) or _customer_of(payers),
        quittance_instance=text(own, "quittance_instance") or None,
        workspace_id=text(own, "workspace_id") or None,
        purchase_id=text(own, "purchase_id") or None,
    )


def metadata_of(owner: Json) -> Json:
    """Return the object's metadata; Stripe sends an empty object, null, or nothing where there is none.

    Raises UnknownShape. Source: https://docs.stripe.com/api/metadata.
    """
    value = owner.get("metadata")
    if value is None:
        return {}
    if isinstance(value, dict):
        return value
    raise UnknownShape("metadata is no object")


def fill(own: Json, sources: Iterable[Json]) -> Json:
    """Return `own` with what only `sources` have, earlier ones first; an empty value is an unset key at Stripe."""
    merged: dict[str, Any] = {}
    for source in (own, *sources):
        merged = {name: value for name, value in source.items() if value} | merged
    return merged


def purchase_ids_of(metadata: Json) -> tuple[str, ...]:
    """Return the purchases that a bundle's metadata names, in their order, none twice. Raises UnknownShape.

    Whether they are ours is for the ledger to say.
    """
    named = [part.strip() for key in PURCHASE_IDS for part in (text(metadata, key) or "").split(",")]
    return tuple(dict.fromkeys(filter(None, named)))


def _customer_of(payers: Iterable[Json]) -> str | None:
    for payer in payers:
        if customer_id := id_of(payer.get("customer")):
            return customer_id
    return None
