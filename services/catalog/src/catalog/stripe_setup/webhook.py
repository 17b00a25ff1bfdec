"""The webhook endpoint at Stripe: our event types, a pinned API version, and the signing secret, shown once."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import stripe
from stripe import StripeClient

Say = Callable[[str], None]
KeepSecret = Callable[[str], str]
"""Takes the signing secret to its place and says where that is."""

API_VERSION: Final = "2026-10-28.endive"
"""That of stripe-python 16.1. An endpoint's version cannot be changed: another one here makes another endpoint."""

EVENT_TYPES: Final = (
    "charge.dispute.closed",
    "charge.dispute.created",
    "charge.refund.updated",
    "charge.refunded",
    "checkout.session.async_payment_failed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.completed",
    "checkout.session.expired",
    "customer.deleted",
    "customer.subscription.created",
    "customer.subscription.deleted",
    "customer.subscription.paused",
    "customer.subscription.resumed",
    "customer.subscription.trial_will_end",
    "customer.subscription.updated",
    "invoice.deleted",
    "invoice.marked_uncollectible",
    "invoice.paid",
    "invoice.payment_action_required",
    "invoice.payment_failed",
    "invoice.payment_succeeded",
    "invoice.voided",
    "invoice_payment.paid",
    "refund.created",
    "refund.failed",
    "refund.updated",
    "subscription_schedule.aborted",
    "subscription_schedule.canceled",
    "subscription_schedule.completed",
    "subscription_schedule.created",
    "subscription_schedule.expiring",
    "subscription_schedule.released",
    "subscription_schedule.updated",
)
"""What the webhook-gateway is to be sent; a contract test compares it with NORMALISERS."""


def shown(secret: str) -> str:
    """Say the secret on the terminal of whoever runs the command."""
    return f"signing secret, shown this once: {secret}"


def into_file(path: Path) -> KeepSecret:
    """Keep the secret in a file that only we may read; opened now, so that no secret is lost for a bad path."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)

    def keep(secret: str) -> str:
        os.fchmod(descriptor, 0o600)
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{secret}\n".encode())
        return f"signing secret: in {path}"

    return keep


async def provision_webhook(
    *, client: StripeClient, url: str, instance: str, keep_secret: KeepSecret, say: Say
) -> None:
    """Find or make our endpoint at `url`, and bring it up to date."""
    ours = await _ours(client, url, instance)
    current = next((endpoint for endpoint in ours if endpoint.api_version == API_VERSION), None)
    if current is None:
        await _make(client, url, instance, keep_secret, say)
    else:
        await _bring_up_to_date(client, current, url, instance, say)
    for other in ours:
        if other is not current and other.status == "enabled":
            say(f"webhook: {other.id} ({other.api_version}) is enabled too: disable it once the new secret is set")


async def _ours(client: StripeClient, url: str, instance: str) -> list[stripe.WebhookEndpoint]:
    """Return those that carry our instance, and those of no instance that were made by hand for the same address."""
    listed = await client.v1.webhook_endpoints.list_async({"limit": 100})
    endpoints = [endpoint async for endpoint in listed.auto_paging_iter()]
    return [endpoint for endpoint in endpoints if _owner(endpoint) == instance or _is_unowned(endpoint, url)]


def _is_unowned(endpoint: stripe.WebhookEndpoint, url: str) -> bool:
    return _owner(endpoint) is None and endpoint.url == url


def _owner(endpoint: stripe.WebhookEndpoint) -> str | None:
    metadata: Any = endpoint.metadata
    owner: str | None = metadata.to_dict().get("quittance_instance") if metadata else None
    return owner


async def _make(client: StripeClient, url: str, instance: str, keep_secret: KeepSecret, say: Say) -> None:
    made = await client.v1.webhook_endpoints.create_async(
        {
            "url": url,
            "api_version": API_VERSION,
            "enabled_events": list(EVENT_TYPES),
            "description": f"Quittance, {instance}",
            "metadata": {"quittance_instance": instance},
        }
    )
    say(f"webhook: made {made.id} for {url}, API version {API_VERSION}, {len(EVENT_TYPES)} event types")
    say(f"webhook: {keep_secret(str(made.secret))}")
    say("webhook: it belongs into STRIPE_WEBHOOK_SECRETS of the webhook-gateway, and nowhere else")


async def _bring_up_to_date(
    client: StripeClient, found: stripe.WebhookEndpoint, url: str, instance: str, say: Say
) -> None:
    wanted = (url, set(EVENT_TYPES), "enabled", instance)
    if (found.url, set(found.enabled_events), found.status, _owner(found)) == wanted:
        say(f"webhook: found {found.id} for {url}")
        return
    await client.v1.webhook_endpoints.update_async(
        found.id,
        {
            "url": url,
            "enabled_events": list(EVENT_TYPES),
            "disabled": False,
            "metadata": {"quittance_instance": instance},
        },
    )
    say(f"webhook: updated {found.id} for {url}; its signing secret stays")
