"""What people have done at Stripe, asked by the API and by pages: buy, save a card, manage the subscription."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import Depends

from chassis.web.auth import CurrentCaller
from purchases.buying.buy import Bought, Order, buy
from purchases.buying.card_testing import Brake
from purchases.checkout.open_checkout import CheckoutContext, Opened, open_checkout
from purchases.checkout.start_checkout import Upgrade
from purchases.customers.save_card import save_card
from purchases.jobs.stripe_context import StripeContext
from purchases.settings import Settings
from purchases.stripe_api.checkout import HostedPage
from purchases.subscriptions.manage_subscription import manage_subscription
from purchases.web.access import AtDatabase
from purchases.web.requests import SettingsOfApp, Stripe, allowed_url
from purchases.web.session_bodies import CheckoutSessionBody


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeRequest(StripeContext):
    """One request that calls Stripe: with what, and who asks."""

    settings: Settings
    subject: str

    @property
    def actor(self) -> str:
        """The person, as histories name one."""
        return f"user:{self.subject}"

    @property
    def lease(self) -> timedelta:
        """How long a request at work holds what it writes."""
        return timedelta(seconds=self.settings.purchase_lease_seconds)


async def stripe_request(
    database: AtDatabase, client: Stripe, settings: SettingsOfApp, caller: CurrentCaller
) -> StripeRequest:
    """Return what a route that calls Stripe works with; it depends on a budget besides."""
    instance = settings.quittance_instance
    return StripeRequest(database=database, client=client, instance=instance, settings=settings, subject=caller.subject)


AtStripe = Annotated[StripeRequest, Depends(stripe_request)]


async def buy_with_saved_card(
    at: StripeRequest, *, workspace_id: str, addon: str, price_cents: int, currency: str, return_url: str, key: str
) -> Bought:
    """Buy one add-on with the saved card. `price_cents`: minor units, as the buyer saw it. Raises Problem.

    Raised is what was in the way before anything was begun; what came of the payment is the outcome.
    """
    order = Order(
        workspace_id=workspace_id,
        addon_slug=addon,
        expected_price_cents=price_cents,
        expected_currency=currency,
        return_url=return_url,
        idempotency_key=key,
        buyer=at.actor,
    )
    return await buy(at, lease=at.lease, order=order, brake=Brake(at.settings.brake_declines))


async def open_card_page(at: StripeRequest, *, workspace_id: str, return_url: str) -> HostedPage:
    """Return the page where a card is saved. Raises Problem."""
    return await save_card(at, workspace_id=workspace_id, return_url=return_url)


async def open_plan_checkout(at: StripeRequest, body: CheckoutSessionBody, *, workspace_id: str, key: str) -> Opened:
    """Return the page where the plan is bought, alone or with add-ons. Raises Problem."""
    upgrade = Upgrade(
        workspace_id=workspace_id,
        plan=body.plan,
        interval=body.interval,
        currency=body.currency,
        addons=tuple(body.addons),
        success_url=allowed_url(body.success_url, at.settings),
        cancel_url=allowed_url(body.cancel_url, at.settings),
        idempotency_key=key,
        buyer=at.actor,
    )
    context = CheckoutContext(database=at.database, client=at.client, instance=at.instance, lease=at.lease)
    return await open_checkout(context, upgrade)


async def open_portal_page(at: StripeRequest, *, workspace_id: str, return_url: str, cancel: str) -> str:
    """Return the portal's address; `cancel` is `at_period_end` or `immediately`. Raises Problem."""
    return await manage_subscription(at, workspace_id=workspace_id, return_url=return_url, cancel=cancel)
