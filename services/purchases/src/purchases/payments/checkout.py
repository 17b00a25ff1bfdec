"""Stripe's hosted pages: Checkout, here to save a card."""

from dataclasses import dataclass
from typing import Any

from stripe import StripeClient

from purchases.payments.client import phase


@dataclass(frozen=True, slots=True)
class HostedPage:
    """A session at Stripe, and where the browser goes for it."""

    id: str
    url: str


async def open_setup(
    client: StripeClient, *, instance: str, workspace_id: str, customer_id: str, return_url: str
) -> HostedPage:
    """A Checkout session in `setup` mode, open for Stripe's usual 24 hours; saved or not, it leads to `return_url`.

    Cards only, so that Stripe asks for no currency. One too many costs nothing, so the key is the client's own.
    """
    metadata = {"quittance_instance": instance, "workspace_id": workspace_id}
    async with phase("setup_session"):
        session = await client.v1.checkout.sessions.create_async(
            params={
                "mode": "setup",
                "customer": customer_id,
                "allowed_payment_method_types": ["card"],
                "success_url": return_url,
                "cancel_url": return_url,
                "metadata": metadata,
                "setup_intent_data": {"metadata": metadata},
            }
        )
    return _page(session)


def _page(session: Any) -> HostedPage:
    return HostedPage(session.id, session.url)
