"""Who changes the catalog: staff, or a part of ours that nobody asks by hand."""

from dataclasses import dataclass
from typing import Final, Self

from chassis.web.auth import Caller


@dataclass(frozen=True, slots=True)
class Actor:
    """As the audit log names it: `staff:…` or `quittance:…`."""

    name: str
    email: str | None = None

    @classmethod
    def staff(cls, caller: Caller) -> Self:
        """Return the super_admin who asked."""
        return cls(f"staff:{caller.subject}", caller.email)


SEED: Final = Actor("quittance:seed")
BOOTSTRAP: Final = Actor("quittance:bootstrap-stripe")
PURCHASES: Final = Actor("quittance:purchases")
"""Made a Stripe price, or was refused it by Stripe, and said so on billing.addon.price.v1."""
