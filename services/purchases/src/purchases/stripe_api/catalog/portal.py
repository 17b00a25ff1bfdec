"""Stripe's Customer Portal, in the configurations that `bootstrap-stripe` made."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from stripe import StripeClient

from purchases.stripe_api.checkout import HostedPage, hosted_page
from purchases.stripe_api.reading import first_with_metadata, request

CANCELLING: Final = ("at_period_end", "immediately")


async def open_portal(
    client: StripeClient, *, instance: str, customer_id: str, return_url: str, cancel: str
) -> HostedPage | None:
    """Open a session of the portal in which cancelling means `cancel`; None where no such configuration was made."""
    configuration_id = await _configuration(client, instance=instance, cancel=cancel)
    if configuration_id is None:
        return None
    session = client.v1.billing_portal.sessions.create_async(
        params={"customer": customer_id, "configuration": configuration_id, "return_url": return_url}
    )
    return hosted_page(await request("portal_session", session))


async def offer_prices(client: StripeClient, *, instance: str, products: Mapping[str, Sequence[str]]) -> None:
    """Have subscribers switch among these prices of the plans, in each configuration that `bootstrap-stripe` made.

    Stripe replaces a feature that is sent as a whole; the others stay.
    """
    offered: Any = {
        "enabled": True,
        "default_allowed_updates": ["price"],
        "proration_behavior": "always_invoice",
        "products": [{"product": product, "prices": list(prices)} for product, prices in products.items()],
    }
    for cancel in CANCELLING:
        found = await _configuration(client, instance=instance, cancel=cancel)
        if found is not None and products:
            features: Any = {"features": {"subscription_update": offered}}
            await request("portal_prices", client.v1.billing_portal.configurations.update_async(found, features))


async def _configuration(client: StripeClient, *, instance: str, cancel: str) -> str | None:
    """Find a configuration by its metadata: it has no lookup key."""
    wanted = {"quittance_instance": instance, "cancel": cancel}
    active = client.v1.billing_portal.configurations.list_async(params={"active": True, "limit": 100})
    found = await first_with_metadata(wanted, "portal_configurations", active)
    return found.id if found else None
