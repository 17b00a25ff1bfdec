"""The purchases that a bundle's metadata names: twelve to a value, since a value holds 500 characters."""

from typing import Final

from webhook_gateway.presence import Json, text

KEYS: Final = ("purchase_ids", "purchase_ids_2")


def purchase_ids_of(metadata: Json) -> list[str]:
    """The ids in their order, none twice; whether they are ours is for the ledger to say."""
    named = [one.strip() for key in KEYS for one in (text(metadata, key) or "").split(",")]
    return list(dict.fromkeys(filter(None, named)))
