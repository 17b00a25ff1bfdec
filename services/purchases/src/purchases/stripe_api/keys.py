"""Idempotency keys and metadata: both follow from the row, so that a repeat is a repeat."""

import json
import uuid
from typing import Final

from purchases.stripe_api.values import Sale

OURS: Final = uuid.UUID("6f1d6a0e-6c39-5d0c-8d55-3a0f0b6f7f11")
"""The namespace of ids that follow from a request. It never changes: a repeat would be another sale."""


def id_of_request(*parts: str | int) -> uuid.UUID:
    """Return the id of what these parts name, the instance first, as RFC 9562's UUID version 5.

    So a request that is repeated to a restored database, which has forgotten it, is the same sale at Stripe: metadata
    and idempotency keys follow from the id.
    """
    return uuid.uuid5(OURS, json.dumps(parts))


def idempotency_key(instance: str, subject: uuid.UUID | str, step: str, attempt: int = 1) -> str:
    """Return `instance:subject:step:attempt`, never random; the attempt grows only after a search found no effect."""
    return f"{instance}:{subject}:{step}:{attempt}"


def metadata_of(sale: Sale, *, instance: str) -> dict[str, str]:
    """Return what stands on every object of ours: enough to rebuild a lost row."""
    return {
        "quittance_instance": instance,
        "workspace_id": sale.workspace_id,
        "purchase_id": str(sale.purchase_id),
        "addon_slug": sale.addon_slug,
    }
