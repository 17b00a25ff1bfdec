"""The Customer Portal's two configurations: cancelling takes effect at the period's end, or at once."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from stripe import StripeClient

from catalog.stripe_setup.plan_prices import Say

CANCELLING: Final = ("at_period_end", "immediately")


async def provision_portal(
    *, client: StripeClient, instance: str, products: Mapping[str, Sequence[str]], say: Say
) -> None:
    """Make both, or bring what is found up to date; `products` are the plans' with their prices.

    They are found by their metadata, where purchases looks for them too: configurations have no lookup keys.
    """
    for cancel in CANCELLING:
        metadata = {"quittance_instance": instance, "cancel": cancel}
        features: Any = _features(cancel, products)
        found = await _found(client, metadata)
        if found is None:
            made = await client.v1.billing_portal.configurations.create_async(
                {"features": features, "metadata": metadata}
            )
            say(f"customer portal, cancelling {cancel}: made {made.id}")
        else:
            await client.v1.billing_portal.configurations.update_async(found, {"features": features})
            say(f"customer portal, cancelling {cancel}: found {found}, brought up to date")


async def _found(client: StripeClient, metadata: dict[str, str]) -> str | None:
    listed = await client.v1.billing_portal.configurations.list_async({"active": True, "limit": 100})
    async for configuration in listed.auto_paging_iter():
        if configuration.metadata and metadata.items() <= configuration.metadata.to_dict().items():
            return configuration.id
    return None


def _features(cancel: str, products: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Return the features: another interval is prorated and billed at once; a cancellation gives nothing back."""
    return {
        "invoice_history": {"enabled": True},
        "payment_method_update": {"enabled": True},
        "subscription_cancel": {"enabled": True, "mode": cancel, "proration_behavior": "none"},
        "subscription_update": {
            "enabled": True,
            "default_allowed_updates": ["price"],
            "proration_behavior": "always_invoice",
            "products": [{"product": product, "prices": list(prices)} for product, prices in products.items()],
        },
    }
