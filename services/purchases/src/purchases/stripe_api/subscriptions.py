"""Subscriptions as Stripe has them now: read, listed, ended, and what was paid for them."""

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from stripe import StripeClient

from chassis.process.logs import get_logger
from purchases.stripe_api.client import ObjectMissing, StripeRefused, UnknownShape
from purchases.stripe_api.fetch import with_all_pages
from purchases.stripe_api.invoices import close_invoice
from purchases.stripe_api.keys import idempotency_key
from purchases.stripe_api.money_back import ChargeIds, create_refund, fetch_given_back, find_refund, give_credit
from purchases.stripe_api.reading import Fetched, listed, request
from purchases.stripe_api.snapshots import is_our_price, plan_item, snapshot_of
from purchases.stripe_api.values import Snapshot
from stripe_reader.checkout_sessions import read_session_status
from stripe_reader.invoice_lines import read_subscription_cents
from stripe_reader.invoice_payments import read_invoice_payment
from stripe_reader.invoices import read_invoice, read_invoice_status
from stripe_reader.payments import PaymentIntent, read_paid_by_credit, read_parts, read_payment_intent
from stripe_reader.subscriptions import read_subscription

log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedSubscription:
    """A subscription as it was at Stripe at `fetched_at`, in Stripe's own time; None where the answer did not say."""

    snapshot: Snapshot
    fetched_at: datetime | None
    is_ours: bool
    """It carries this instance's metadata, or one of our prices."""
    workspace_id: str | None = None
    """Which its metadata names, if they are this instance's."""


async def fetch_subscription(
    client: StripeClient, subscription_id: str, *, instance: str, prices: Collection[str]
) -> FetchedSubscription | None:
    """Fetch it; None when Stripe does not know it. Raises UnknownShape."""
    try:
        found = await request("look_at_subscription", client.v1.subscriptions.retrieve_async(subscription_id))
    except ObjectMissing:
        return None
    return _fetched(found, instance=instance, prices=prices)


async def subscriptions_of(
    client: StripeClient, customer_id: str, *, instance: str, prices: Collection[str]
) -> list[FetchedSubscription]:
    """List the customer's subscriptions that have not ended and that are ours."""
    running = client.v1.subscriptions.list_async(params={"customer": customer_id, "limit": 100})
    try:
        shown = [subscription async for subscription in listed("list_subscriptions", running)]
    except ObjectMissing:
        return []
    found = [_listed(subscription, instance=instance, prices=prices) for subscription in shown]
    return [subscription for subscription in found if subscription is not None and subscription.is_ours]


async def running_at(
    client: StripeClient, price_id: str, *, instance: str, prices: Collection[str]
) -> AsyncIterator[FetchedSubscription]:
    """List every subscription at this price that has not been cancelled, whosever; none of a price that is gone."""
    running = client.v1.subscriptions.list_async(params={"price": price_id, "limit": 100})
    try:
        async for shown in listed("list_subscriptions", running):
            if (subscription := _listed(shown, instance=instance, prices=prices)) is not None:
                yield subscription
    except ObjectMissing:
        return


async def end_subscription(client: StripeClient, subscription_id: str) -> None:
    """End it now, without a last invoice: what was paid goes back as a refund. One that has ended is left as it is.

    A DELETE has no idempotency key at Stripe, and needs none.
    """
    ended = client.v1.subscriptions.cancel_async(subscription_id, params={"invoice_now": False, "prorate": False})
    try:
        await request("end_subscription", ended)
    except ObjectMissing:
        return


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstPayment:
    """A subscription with its first payment, as both are now."""

    subscription_id: str
    seen: FetchedSubscription | None
    """None when Stripe does not know it."""
    invoice_id: str | None = None
    invoice_status: str | None = None
    is_at_the_bank: bool = False
    page_is_open: bool = False
    """Its Checkout can still be paid on: before 2025-03-31.basil a session made its subscription as it opened."""


async def fetch_first_payment(
    client: StripeClient, subscription_id: str, *, instance: str, prices: Collection[str]
) -> FirstPayment:
    """Fetch it with the intents of its latest invoice, and whether its Checkout is open. Raises UnknownShape.

    The intents are fetched one by one: with them the path would have five levels, and Stripe expands four
    (https://docs.stripe.com/expand).
    """
    expanded: Any = {"expand": ["latest_invoice.payments"]}
    try:
        found = await request("look_at_subscription", client.v1.subscriptions.retrieve_async(subscription_id, expanded))
    except ObjectMissing:
        return FirstPayment(subscription_id=subscription_id, seen=None)
    listing = client.v1.checkout.sessions.list_async(params={"subscription": subscription_id, "limit": 100})
    sessions = (await request("list_sessions", listing)).entries("data")
    invoice = found.part("latest_invoice")
    payments = invoice.entries("payments") if invoice is not None else []
    linked = [payment.read(read_invoice_payment).payment_intent_id for payment in payments]
    intents = [await _intent(client, intent_id) for intent_id in linked if intent_id]
    return FirstPayment(
        subscription_id=subscription_id,
        seen=_fetched(found, instance=instance, prices=prices),
        invoice_id=invoice.id if invoice is not None else None,
        invoice_status=invoice.read(read_invoice_status) if invoice is not None else None,
        is_at_the_bank=any(intent.status == "processing" for intent in intents),
        page_is_open=any(session.read(read_session_status) == "open" for session in sessions),
    )


async def _intent(client: StripeClient, intent_id: str) -> PaymentIntent:
    intent = await request("look_at_intent", client.v1.payment_intents.retrieve_async(intent_id))
    return intent.read(read_payment_intent)


async def end_first_payment(client: StripeClient, payment: FirstPayment) -> None:
    """End the subscription, then void its invoice, which could be paid on its own page all the same.

    What was paid meanwhile is not void: Stripe refuses that, and the money is found by its invoice.
    """
    await end_subscription(client, payment.subscription_id)
    if payment.invoice_id is None or payment.invoice_status not in {"draft", "open", "uncollectible"}:
        return
    try:
        await close_invoice(client, invoice_id=payment.invoice_id, status=payment.invoice_status)
    except StripeRefused as error:
        log.warning("first_invoice_not_closed", subscription=payment.subscription_id, reason=error.reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanPayment:
    """What one charge of a subscription's invoice, or the customer's credit, paid for the plan alone; minor units."""

    invoice_id: str
    charge: ChargeIds | None
    """None: the credit balance of `customer_id`."""
    customer_id: str
    plan_cents: int
    currency: str
    number: int = 1
    """Which of the invoice's charges."""


async def plan_payments(client: StripeClient, subscription_id: str) -> list[PlanPayment]:
    """List what was paid for the subscription; add-ons that were bought with it are not part of it."""
    paid = client.v1.invoices.list_async(
        params={"subscription": subscription_id, "status": "paid", "limit": 100, "expand": ["data.payments"]}
    )
    invoices = [invoice async for invoice in listed("list_invoices", paid)]
    return [payment for invoice in invoices for payment in await _payments_of(client, invoice)]


async def _payments_of(client: StripeClient, shown: Fetched) -> list[PlanPayment]:
    """Return what each charge of the invoice took for the plan, the first one first; then what credit paid of it.

    Of credit that paid for add-ons too the plan has its share, in proportion.
    """
    whole = await with_all_pages(client, shown)
    invoice, plan_cents = whole.read(read_invoice), whole.read(read_subscription_cents)
    total = sum(line.amount - line.discount_cents + line.tax_cents for line in invoice.lines)
    of_invoice: Any = {
        "invoice_id": invoice.invoice_id,
        "customer_id": str(invoice.customer_id),
        "currency": invoice.currency,
    }
    applied = whole.read(read_paid_by_credit) or 0
    credit = applied * plan_cents // total if total > 0 and plan_cents > 0 else 0
    left, found = min(invoice.amount_paid, plan_cents - credit), list[PlanPayment]()
    parts = [part for part in whole.read(read_parts) if part.payment_intent_id or part.charge_id]
    for number, part in enumerate(parts, start=1):
        cents = min(left, part.amount_paid)
        left -= cents
        if cents > 0:
            found.append(
                PlanPayment(
                    charge=ChargeIds(payment_intent_id=part.payment_intent_id, charge_id=part.charge_id),
                    plan_cents=cents,
                    number=number,
                    **of_invoice,
                )
            )
    return [*found, PlanPayment(charge=None, plan_cents=credit, **of_invoice)] if credit else found


async def pay_back(
    client: StripeClient, payment: PlanPayment, *, instance: str, workspace_id: str, subscription_id: str, attempt: int
) -> None:
    """Refund the plan's part, unless that refund is found; an add-on's of the same invoice names its purchase.

    Raises OutcomeUnknown or StripeRefused.
    """
    wanted = {
        "quittance_instance": instance,
        "returned_invoice": payment.invoice_id,
        "subscription_id": subscription_id,
    }
    if payment.charge is None:
        await _give_credit_back(client, payment, wanted | {"workspace_id": workspace_id}, instance, attempt)
        return
    if await find_refund(client, charge=payment.charge, known_by=wanted) is not None:
        return
    step = "return-plan" if payment.number == 1 else f"return-plan-{payment.number}"
    await create_refund(
        client,
        charge=payment.charge,
        amount=payment.plan_cents,
        metadata=wanted | {"workspace_id": workspace_id},
        idempotency_key=idempotency_key(instance, payment.invoice_id, step, attempt),
    )


async def _give_credit_back(
    client: StripeClient, payment: PlanPayment, metadata: dict[str, str], instance: str, attempt: int
) -> None:
    """Give it back to the balance that had paid, unless that transaction is found."""
    if await fetch_given_back(client, customer_id=payment.customer_id, known_by=metadata):
        return
    await give_credit(
        client,
        customer_id=payment.customer_id,
        amount=payment.plan_cents,
        currency=payment.currency,
        metadata=metadata,
        idempotency_key=idempotency_key(instance, payment.invoice_id, "return-plan-credit", attempt),
    )


def _fetched(found: Fetched, *, instance: str, prices: Collection[str]) -> FetchedSubscription:
    subscription = found.read(read_subscription)
    ours, item = subscription.quittance_instance, plan_item(subscription, prices=prices, instance=instance)
    at_our_price = item is not None and is_our_price(item, prices=prices, instance=instance)
    return FetchedSubscription(
        snapshot=snapshot_of(subscription, prices=prices, instance=instance),
        fetched_at=found.fetched_at,
        is_ours=ours == instance or (ours is None and at_our_price),
        workspace_id=subscription.workspace_id if ours == instance else None,
    )


def _listed(shown: Fetched, *, instance: str, prices: Collection[str]) -> FetchedSubscription | None:
    """Read it; None for one that nobody understands: its event was parked for the same reason."""
    try:
        return _fetched(shown, instance=instance, prices=prices)
    except UnknownShape as error:
        log.error("subscription_not_understood", subscription=shown.id, reason=str(error))  # noqa: TRY400
        return None
