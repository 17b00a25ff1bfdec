"""Subscriptions as Stripe has them now: read, listed, ended, and what was paid for them."""

from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from time import monotonic
from typing import Any, Final

from stripe import StripeClient

from chassis.logs import get_logger
from contracts.stripe_facts.words import PAYMENT_INTENT_STATUSES, SUBSCRIPTION_STATUSES
from purchases.domain.stripe_values import Snapshot
from purchases.payments.balances import fetch_given_back, give_credit
from purchases.payments.client import ObjectMissing, StripeRefused, UnknownShape, metadata_of_object, phase, word
from purchases.payments.invoices import close_invoice
from purchases.payments.keys import idempotency_key
from purchases.payments.look import credit_applied, lines_of, parts_of, reference
from purchases.payments.refunds import ChargeIds, create_refund, find_refund

log = get_logger(__name__)

Json = Mapping[str, Any]
INTERVALS: Final = frozenset({"month", "year"})
OF_THE_PLAN: Final = "subscription_item_details"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A subscription as it was at Stripe at `at`, in Stripe's own time; None where the answer did not say when."""

    snapshot: Snapshot
    at: datetime | None
    is_ours: bool
    """It carries this instance's metadata, or one of our prices."""
    workspace_id: str | None = None
    """Which its metadata names, if they are this instance's."""


async def look_at_subscription(
    client: StripeClient, subscription_id: str, *, instance: str, prices: Collection[str]
) -> Seen | None:
    """Read it; None when Stripe does not know it."""
    began = monotonic()
    try:
        async with phase("look_at_subscription"):
            found: Any = await client.v1.subscriptions.retrieve_async(subscription_id)
    except ObjectMissing:
        return None
    return _seen(found, instance=instance, prices=prices, at=_moment_of_answer(found, monotonic() - began))


async def subscriptions_of(
    client: StripeClient, customer_id: str, *, instance: str, prices: Collection[str]
) -> list[Seen]:
    """The customer's subscriptions that have not ended and that are ours."""
    try:
        async with phase("list_subscriptions"):
            listed = await client.v1.subscriptions.list_async(params={"customer": customer_id, "limit": 100})
            found = [_seen(one, instance=instance, prices=prices) async for one in listed.auto_paging_iter()]
    except ObjectMissing:
        return []
    return [one for one in found if one.is_ours]


async def running_at(
    client: StripeClient, price_id: str, *, instance: str, prices: Collection[str]
) -> AsyncIterator[Seen]:
    """Every subscription at this price that has not been cancelled, whosever it is; none of a price that is gone."""
    try:
        async with phase("list_subscriptions"):
            listed = await client.v1.subscriptions.list_async(params={"price": price_id, "limit": 100})
            async for one in listed.auto_paging_iter():
                try:
                    yield _seen(one, instance=instance, prices=prices)
                except UnknownShape as error:
                    # Its event was parked for the same reason; the others are compared all the same.
                    log.error("subscription_not_understood", subscription=one.id, reason=str(error))  # noqa: TRY400
    except ObjectMissing:
        return


async def end_subscription(client: StripeClient, subscription_id: str) -> None:
    """End it now, without a last invoice: what was paid goes back as a refund. One that has ended is left as it is.

    A DELETE has no idempotency key at Stripe, and needs none.
    """
    try:
        async with phase("end_subscription"):
            await client.v1.subscriptions.cancel_async(
                subscription_id,
                params={"invoice_now": False, "prorate": False},
            )
    except ObjectMissing:
        return


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstPayment:
    """A subscription with its first payment, as both are now."""

    subscription_id: str
    seen: Seen | None
    """None when Stripe does not know it."""
    invoice_id: str | None = None
    invoice_status: str | None = None
    is_at_the_bank: bool = False
    page_is_open: bool = False
    """Its Checkout can still be paid on: before 2025-03-31.basil a session made its subscription as it opened."""


async def look_at_first_payment(
    client: StripeClient, subscription_id: str, *, instance: str, prices: Collection[str]
) -> FirstPayment:
    """Read it with the intents of its latest invoice, and whether its Checkout is open.

    The intents are read one by one: with them the path would have five levels, and Stripe expands four
    (https://docs.stripe.com/expand).
    """
    began = monotonic()
    try:
        async with phase("look_at_subscription"):
            found: Any = await client.v1.subscriptions.retrieve_async(
                subscription_id, params={"expand": ["latest_invoice.payments"]}
            )
    except ObjectMissing:
        return FirstPayment(subscription_id=subscription_id, seen=None)
    async with phase("list_sessions"):
        listed = await client.v1.checkout.sessions.list_async(params={"subscription": subscription_id, "limit": 100})
    invoice = found.latest_invoice
    payments = invoice.payments.data if invoice is not None and invoice.payments else []
    intents = [await _intent(client, one) for one in payments if getattr(one.payment, "payment_intent", None)]
    return FirstPayment(
        subscription_id=subscription_id,
        seen=_seen(found, instance=instance, prices=prices, at=_moment_of_answer(found, monotonic() - began)),
        invoice_id=invoice.id if invoice is not None else None,
        invoice_status=invoice.status if invoice is not None else None,
        is_at_the_bank=any(word(one, "status", known=PAYMENT_INTENT_STATUSES) == "processing" for one in intents),
        page_is_open=any(one.status == "open" for one in listed.data),
    )


async def _intent(client: StripeClient, payment: Any) -> Any:
    async with phase("look_at_intent"):
        return await client.v1.payment_intents.retrieve_async(str(reference(payment.payment.payment_intent)))


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
    """What was paid for the subscription; add-ons that were bought with it are not part of it."""
    async with phase("list_invoices"):
        listed = await client.v1.invoices.list_async(
            params={"subscription": subscription_id, "status": "paid", "limit": 100, "expand": ["data.payments"]}
        )
        invoices: list[Any] = [one async for one in listed.auto_paging_iter()]
    return [payment for one in invoices for payment in await _payments_of(client, one)]


async def _payments_of(client: StripeClient, invoice: Any) -> list[PlanPayment]:
    """What each charge of the invoice took for the plan, the first one first; then what credit paid of it.

    Of credit that paid for add-ons too the plan has its share, in proportion.
    """
    lines = [line async for line in await lines_of(client, invoice)]
    plan_cents, total = _plan_cents(lines), _cents(lines)
    of_invoice: Any = {
        "invoice_id": invoice.id,
        "customer_id": str(reference(invoice.customer)),
        "currency": invoice.currency.upper(),
    }
    credit = (credit_applied(invoice) or 0) * plan_cents // total if total > 0 and plan_cents > 0 else 0
    left, found = min(invoice.amount_paid, plan_cents - credit), list[PlanPayment]()
    parts = [part for part in await parts_of(client, invoice) if part.payment_intent_id or part.charge_id]
    for number, part in enumerate(parts, start=1):
        cents = left if part.cents is None else min(left, part.cents)
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
    """Refund the plan's part, unless a look finds that refund; an add-on's of the same invoice names its purchase."""
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
    """To the balance that had paid, unless a look finds that transaction."""
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


def _plan_cents(lines: list[Any]) -> int:
    return _cents([line for line in lines if line.parent and line.parent.type == OF_THE_PLAN])


def _cents(lines: list[Any]) -> int:
    """What the lines cost, less their discounts, plus the taxes on top."""
    taxes = [tax for line in lines for tax in line.taxes or [] if tax.tax_behavior == "exclusive"]
    off = sum(one.amount for line in lines for one in line.discount_amounts or [])
    total: int = sum(line.amount for line in lines) - off + sum(tax.amount for tax in taxes)
    return total


def _seen(found: Any, *, instance: str, prices: Collection[str], at: datetime | None = None) -> Seen:
    told: Json = found.to_dict()
    item = _plan_item(told["items"]["data"], prices=prices, instance=instance)
    metadata = metadata_of_object(found)
    ours = metadata.get("quittance_instance")
    return Seen(
        snapshot=_snapshot(told, item, status=word(found, "status", known=SUBSCRIPTION_STATUSES)),
        at=at,
        is_ours=ours == instance or (ours is None and is_our_price(item["price"], prices=prices, instance=instance)),
        workspace_id=metadata.get("workspace_id") if ours == instance else None,
    )


def _plan_item(items: list[Json], *, prices: Collection[str], instance: str) -> Json:
    ours = (item for item in items if is_our_price(item["price"], prices=prices, instance=instance))
    return next(ours, items[0])


def is_our_price(price: Json, *, prices: Collection[str], instance: str) -> bool:
    """One that the plan has now, or one that `bootstrap-stripe` made."""
    key = price.get("lookup_key") or ""
    return price["id"] in prices or key.startswith(f"quittance:{instance}:")


def _snapshot(told: Json, item: Json, *, status: str) -> Snapshot:
    interval = (item["price"].get("recurring") or {}).get("interval")
    pause: Json = told.get("pause_collection") or {}
    return Snapshot(
        subscription_id=told["id"],
        status=status,
        customer_id=_id_in(told["customer"]),
        price_id=item["price"]["id"],
        interval=interval if interval in INTERVALS else None,
        currency=told["currency"].upper(),
        started_at=_moment(told["start_date"]),
        current_period_end=_moment(item.get("current_period_end") or told.get("current_period_end")),
        cancel_at_period_end=told["cancel_at_period_end"],
        cancel_at=_moment(told.get("cancel_at")),
        canceled_at=_moment(told.get("canceled_at")),
        ended_at=_moment(told.get("ended_at")),
        latest_invoice_id=_id_in(told.get("latest_invoice")),
        default_payment_method_id=_id_in(told.get("default_payment_method")) or _id_in(told.get("default_source")),
        pause_behavior=pause.get("behavior"),
        pause_resumes_at=_moment(pause.get("resumes_at")),
        collection_method=told.get("collection_method"),
        schedule_id=_id_in(told.get("schedule")),
    )


def _id_in(told: Any) -> str | None:
    """Of an object that is expanded, or not."""
    known: str | None = told["id"] if isinstance(told, dict) else told
    return known


def _moment(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _moment_of_answer(found: Any, took: float) -> datetime | None:
    """No later than Stripe read it, by Stripe's clock: whatever it tells of a later second is newer."""
    answer = getattr(found, "last_response", None)
    date = (answer.headers if answer else {}).get("date")
    return parsedate_to_datetime(date) - timedelta(seconds=int(took) + 2) if date else None
