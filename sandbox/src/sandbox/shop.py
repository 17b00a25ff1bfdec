"""One registered workspace, and the header that its owner's requests carry."""

from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """One registered workspace with its owner and its customer at Stripe."""

    workspace_id: str
    name: str
    owner_id: str
    owner_email: str
    customer_id: str
    token: str


def bearer(token: str) -> dict[str, str]:
    """Return the header that carries `token`."""
    return {"Authorization": f"Bearer {token}"}
