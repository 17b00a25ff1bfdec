"""Idempotency keys and metadata: both follow from the row, so that a repeat is a repeat."""

import uuid

from purchases.stripe_api.values import Sale


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
