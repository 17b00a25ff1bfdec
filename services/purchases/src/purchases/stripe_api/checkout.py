"""Stripe's Checkout: sessions that save a card, and sessions that sell the plan with add-ons."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from stripe import StripeClient

from purchases.stripe_api.client import StripeRefused
from purchases.stripe_api.keys import idempotency_key
from purchases.stripe_api.reading import Fetched, first_with_metadata, request
from purchases.stripe_api.since import created_before
from purchases.stripe_api.values import PlanSale
from stripe_reader.checkout_sessions import (
    read_checkout_session,
    read_hosted_page,
    read_made,
    read_payment_status,
    read_session_status,
)
from stripe_reader.origin import IDS_PER_VALUE, PURCHASE_IDS

UNPAID: Final = "unpaid"
"""Of a session that is complete: the money comes later, or never (Stripe, Checkout, delayed payment methods)."""
FAILED: Final = "failed"
"""Not Stripe's word, which stays `unpaid`: its `async_payment_failed` event arrived."""

SETUP_LEAST: Final = timedelta(minutes=30)
"""So long a page has to stay open that somebody is sent to."""


@dataclass(frozen=True, slots=True)
class HostedPage:
    """A session at Stripe, and where the browser goes for it."""

    id: str
    url: str


def hosted_page(session: Fetched) -> HostedPage:
    """Return the page of a session that was just made. Raises UnknownShape."""
    page = session.read(read_hosted_page)
    return HostedPage(page.session_id, str(page.url))


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedSession:
    """A session as it is at Stripe now."""

    session_id: str
    status: str
    """`open`, `complete` or `expired`."""
    url: str | None
    subscription_id: str | None
    invoice_id: str | None
    payment_status: str | None = None
    """`paid`, `unpaid`, `no_payment_required` or, in old API versions, None; ours: `failed`, of a debit."""

    @property
    def is_at_the_bank(self) -> bool:
        """Return whether it is complete with a debit that takes days: nothing is given for it yet."""
        return self.status == "complete" and self.payment_status == UNPAID

    @property
    def has_failed(self) -> bool:
        """Return whether it is complete with a debit that came to nothing."""
        return self.status == "complete" and self.payment_status == FAILED


async def open_setup(
    client: StripeClient, *, instance: str, workspace_id: str, customer_id: str, return_url: str
) -> HostedPage:
    """Open a Checkout session in `setup` mode for Stripe's usual 24 hours; saved or not, it leads to `return_url`.

    Cards only, so that Stripe asks for no currency. An open one of the same customer and address is used again; of two
    that are requested at once both are good, so the key is the client's own. Raises OutcomeUnknown or StripeRefused.
    """
    known = await _find_setup(client, instance=instance, customer_id=customer_id, return_url=return_url)
    if known is not None:
        return known
    metadata = {"quittance_instance": instance, "workspace_id": workspace_id}
    session = client.v1.checkout.sessions.create_async(
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
    return hosted_page(await request("setup_session", session))


async def _find_setup(client: StripeClient, *, instance: str, customer_id: str, return_url: str) -> HostedPage | None:
    """Find the newest page of ours that still saves a card for this customer, and for some minutes more."""
    listing = client.v1.checkout.sessions.list_async(params={"customer": customer_id, "status": "open", "limit": 100})
    for session in (await request("list_setup_sessions", listing)).entries("data"):
        if session.payload.get("mode") != "setup":
            continue
        said, page = session.read(read_checkout_session), session.read(read_hosted_page)
        ours = said.quittance_instance == instance
        lasts = page.expires_at is not None and page.expires_at > datetime.now(UTC) + SETUP_LEAST
        if ours and lasts and page.return_url == return_url and page.url:
            return HostedPage(page.session_id, page.url)
    return None


async def open_subscription(
    client: StripeClient, *, instance: str, sale: PlanSale, addon_prices: Sequence[str]
) -> FetchedSession:
    """Open the session that sells the plan, with each of `addon_prices` once; within one attempt always the same.

    Metadata does not flow from a session to what it makes, so the subscription is given its own. Raises OutcomeUnknown
    or StripeRefused.
    """
    metadata = _metadata(instance, sale)
    prices = [sale.price_id, *addon_prices]
    session = client.v1.checkout.sessions.create_async(
        params={
            "mode": "subscription",
            "customer": sale.customer_id,
            "client_reference_id": str(sale.checkout_id),
            "line_items": [{"price": price, "quantity": 1} for price in prices],
            "allowed_payment_method_types": ["card"],
            "adaptive_pricing": {"enabled": False},
            "expires_at": int(sale.expires_at.timestamp()),
            "success_url": sale.success_url,
            "cancel_url": sale.cancel_url,
            "metadata": metadata,
            "subscription_data": {"metadata": metadata},
        },
        options={"idempotency_key": idempotency_key(instance, sale.checkout_id, "checkout", sale.attempt)},
    )
    return _read_session(await request("checkout_session", session))


async def fetch_checkout(client: StripeClient, sale: PlanSale) -> FetchedSession | None:
    """Fetch the Checkout's session: by its id, or by listing and metadata when the id was never stored."""
    if sale.session_id is not None:
        return await _fetch_session(client, sale.session_id)
    return await _find_session(client, checkout_id=sale.checkout_id, customer_id=sale.customer_id, at=sale.created_at)


async def expire_session(client: StripeClient, session_id: str) -> FetchedSession:
    """Make sure that nobody can pay on it any more; return it as it is then, which may be paid or expired meanwhile.

    Raises OutcomeUnknown, or StripeRefused while it is still open.
    """
    try:
        return _read_session(await request("expire_session", client.v1.checkout.sessions.expire_async(session_id)))
    except StripeRefused:
        session = await _fetch_session(client, session_id)
        if session.status == "open":
            raise
        return session


async def _fetch_session(client: StripeClient, session_id: str) -> FetchedSession:
    return _read_session(await request("look_at_session", client.v1.checkout.sessions.retrieve_async(session_id)))


async def _find_session(
    client: StripeClient, *, checkout_id: uuid.UUID, customer_id: str, at: datetime
) -> FetchedSession | None:
    listing = client.v1.checkout.sessions.list_async(
        params={"customer": customer_id, "created": created_before(at), "limit": 100}
    )
    session = await first_with_metadata({"checkout_id": str(checkout_id)}, "list_sessions", listing)
    return _read_session(session) if session else None


def _metadata(instance: str, sale: PlanSale) -> dict[str, str]:
    ids = sale.purchase_ids
    named = dict(zip(PURCHASE_IDS, (",".join(ids[:IDS_PER_VALUE]), ",".join(ids[IDS_PER_VALUE:])), strict=True))
    ours = {
        "quittance_instance": instance,
        "workspace_id": sale.workspace_id,
        "checkout_id": str(sale.checkout_id),
        "plan": sale.plan,
    }
    return ours | {key: value for key, value in named.items() if value}


def _read_session(session: Fetched) -> FetchedSession:
    made, page = session.read(read_made), session.read(read_hosted_page)
    return FetchedSession(
        session_id=page.session_id,
        status=session.read(read_session_status),
        url=page.url,
        subscription_id=made.subscription_id,
        invoice_id=made.invoice_id,
        payment_status=session.read(read_payment_status),
    )
