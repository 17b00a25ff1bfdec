"""The charge of one purchase, phase by phase: check the lease under the lock, call Stripe, store what it said."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from chassis.process.logs import get_logger
from chassis.recovery import epochs
from purchases.catalog_copy.provision_price import forget_dead_price, provision_price
from purchases.catalog_copy.withdraw_addon import NOT_CHARGED, Offer, withdraw_if_not_charged
from purchases.jobs.kinds import ReconcilePurchase, VoidInvoice
from purchases.jobs.lease import LeaseRanOut, database_now, is_leased, renewing
from purchases.jobs.store import enqueue
from purchases.jobs.stripe_context import StripeContext
from purchases.ledger import store as ledger
from purchases.ledger.apply_payment import apply_payment
from purchases.ledger.learn_ids import learn_ids, release_waiting
from purchases.ledger.money import Mismatch
from purchases.ledger.move import move, note_failure, wait_for_bank, wait_for_customer
from purchases.ledger.publish import Cause
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Status, Step, Trigger
from purchases.stripe_api.client import CardDeclined, CustomerNeeded, OutcomeUnknown, StripeRefused
from purchases.stripe_api.customers import PayingCustomer, has_card
from purchases.stripe_api.fetch import fetch_invoice, find_invoice
from purchases.stripe_api.invoices import Charging, Confirmation, amount_due
from purchases.stripe_api.since import FORGOTTEN_WITHIN
from purchases.stripe_api.values import InvoiceState, PaidInvoice
from purchases.stripe_refusals.store import keep_refusal

log = get_logger(__name__)

CARD_GONE: Final = "payment_method_missing"
"""Ours, as a failure code: the card was there when it was fetched, and is not any more."""
OF_THE_PRICE: Final = frozenset({"price", "item"})
"""The calls that name the add-on's own amount; the others charge what the invoice came to."""
NOT_CONFIRMED: Final = Confirmation("requires_action", None)


class LostTheRow(Exception):  # noqa: N818 - named for what it says
    """The purchase is no longer this request's to decide: it moved on, or the lease ran out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeContext(StripeContext):
    """Where one buying request works: also its row and its lease."""

    purchase_id: uuid.UUID
    lease: timedelta


async def charge(context: ChargeContext, customer: PayingCustomer, *, workspace_id: str) -> None:
    """Charge the saved card. Raises nothing: what happened is on the row afterwards; what is unknown stays pending."""
    renew = partial(ledger.renew_lease, purchase_id=context.purchase_id, lease=context.lease)
    try:
        async with renewing(context.database, lease=context.lease, renew=renew):
            await _charge(context, customer)
    except CardDeclined as error:
        await _fail(context, code=error.code, declined=True)
    except StripeRefused as error:
        await _keep_refusal(context, error, workspace_id)
        gone = await _card_is_gone(context, customer)
        await _fail(context, code=CARD_GONE if gone else error.code or "stripe_refused", declined=False)
        await _withdraw_if_not_charged(context, error)
    except (OutcomeUnknown, LostTheRow, LeaseRanOut) as error:
        log.warning("charge_left_to_settling", purchase=str(context.purchase_id), reason=repr(error))


async def _card_is_gone(context: ChargeContext, customer: PayingCustomer) -> bool:
    """Return whether the card was detached since: Stripe's refusals word it in several ways, so it is fetched."""
    try:
        return not await has_card(
            context.client, customer_id=customer.customer_id, payment_method_id=str(customer.payment_method_id)
        )
    except (OutcomeUnknown, StripeRefused):
        return False


async def _withdraw_if_not_charged(context: ChargeContext, error: StripeRefused) -> None:
    """Take the add-on off sale where its price was refused: the price until there is an invoice, then its amount."""
    if error.code not in NOT_CHARGED:
        return
    async with context.database.reading() as session:
        purchase = await ledger.find(session, context.purchase_id)
    if purchase is None:
        return
    offer = Offer(addon_id=purchase.plan_addon_id, price_cents=purchase.price_cents, currency=purchase.currency)
    amount = purchase.price_cents
    if error.call not in OF_THE_PRICE:
        try:
            amount = await amount_due(context.client, str(purchase.stripe_invoice_id))
        except (OutcomeUnknown, StripeRefused):
            return
    await withdraw_if_not_charged(context.database, error, offer, instance=context.instance, asked_cents=amount)


async def _keep_refusal(context: ChargeContext, error: StripeRefused, workspace_id: str) -> None:
    await keep_refusal(context.database, error, workspace_id=workspace_id, purchase_id=context.purchase_id)


async def _charge(context: ChargeContext, customer: PayingCustomer) -> None:
    purchase = await _store(context)
    if await _was_charged_before(context, purchase):
        return
    if purchase.stripe_price_id is None:
        purchase = await _store(context, price_id=await _provisioned(context, purchase))
    charging = Charging(context.client, instance=context.instance, sale=ledger.sale_of(purchase))
    card = str(customer.payment_method_id)
    invoice_id = await charging.draft(customer_id=customer.customer_id, payment_method_id=card)
    await _store(context, invoice_id=invoice_id)
    await _add_item(context, charging, purchase, invoice_id)
    await _store(context)
    intent_id = await charging.finalize(invoice_id=invoice_id)
    purchase = await _store(context, payment_intent_id=intent_id)
    try:
        await charging.pay(invoice_id=invoice_id, payment_method_id=card)
    except CustomerNeeded:
        await _confirm_with_customer(context, charging, purchase, card)
    except StripeRefused:
        if not await _is_paid_already(context, invoice_id):
            raise
    else:
        await _take_payment(context, invoice_id)


async def _was_charged_before(context: ChargeContext, purchase: Purchase) -> bool:
    """Apply what this request came to in an earlier life of the database; False where it came to nothing.

    Stripe's keys may be forgotten after a day; for as long as a restored copy may lack a sale, its invoice is looked
    for before any is made. Raises OutcomeUnknown where one is there that is not paid: the job decides about that.
    """
    async with context.database.reading() as session:
        if not await epochs.changed_within(session, FORGOTTEN_WITHIN):
            return False
    finding = await find_invoice(context.client, ledger.sale_of(purchase), instance=context.instance)
    if finding.state is InvoiceState.NOTHING:
        return False
    if finding.paid is None:
        await _let_go(context)
        raise OutcomeUnknown(f"it was begun before: {finding.invoice_id} is {finding.state}")
    await _apply(context, finding.paid)
    return True


async def _let_go(context: ChargeContext) -> None:
    """Leave the purchase to its job, now."""
    await _store(context, done=True)
    async with context.database.transaction() as session:
        await enqueue(session, ReconcilePurchase(purchase_id=context.purchase_id))


async def _provisioned(context: ChargeContext, purchase: Purchase) -> str | None:
    """Return the price, found or made; None when Stripe gives none now: it is a convenience, and costs no sale."""
    try:
        return await provision_price(context, sold=ledger.sold_addon_of(purchase), asked_for=purchase.id)
    except (OutcomeUnknown, StripeRefused) as error:
        log.warning("price_not_provisioned", addon=str(purchase.plan_addon_id), error=repr(error))
        if isinstance(error, StripeRefused):
            await _keep_refusal(context, error, purchase.workspace_id)
        return None


async def _add_item(context: ChargeContext, charging: Charging, purchase: Purchase, invoice_id: str) -> None:
    """Bind the line to the draft; a price that Stripe takes no more costs no sale, and is made anew next time."""
    customer_id, price_id = str(purchase.stripe_customer_id), purchase.stripe_price_id
    try:
        await charging.add_item(customer_id=customer_id, invoice_id=invoice_id, price_id=price_id)
    except StripeRefused as error:
        if price_id is None:
            raise
        log.warning("price_refused", purchase=str(purchase.id), price=price_id, error=repr(error))
        await _keep_refusal(context, error, purchase.workspace_id)
        await forget_dead_price(context, addon_id=purchase.plan_addon_id, stripe_price_id=price_id)
        await charging.add_item(customer_id=customer_id, invoice_id=invoice_id, price_id=None)


async def _confirm_with_customer(context: ChargeContext, charging: Charging, purchase: Purchase, card: str) -> None:
    """Confirm on-session where the bank wants 3-D Secure: its page brings the buyer back to us."""
    finding = await fetch_invoice(context.client, str(purchase.stripe_invoice_id))
    if finding.paid is not None:
        await _apply(context, finding.paid)
        return
    intent_id = purchase.stripe_payment_intent_id or finding.payment_intent_id
    await _store(context, payment_intent_id=intent_id)
    confirmed = await _confirmed(charging, purchase, intent_id, card)
    if confirmed.status in {"succeeded", "processing"}:
        await _take_payment(context, str(purchase.stripe_invoice_id))
    else:
        await _store(context, action_url=confirmed.action_url or finding.action_url, done=True)


async def _confirmed(charging: Charging, purchase: Purchase, intent_id: str | None, card: str) -> Confirmation:
    """Confirm the intent; without one, or where Stripe wants the customer first, return `NOT_CONFIRMED`.

    Then `hosted_invoice_url` is the fallback: one can pay there, but it never returns the buyer.
    """
    if intent_id is None:
        return NOT_CONFIRMED
    try:
        return await charging.confirm(intent_id=intent_id, payment_method_id=card, return_url=str(purchase.return_url))
    except CustomerNeeded:
        return NOT_CONFIRMED


async def _take_payment(context: ChargeContext, invoice_id: str) -> None:
    """Apply what was paid; a bank that is at work on it is waited for, without the buyer. Raises OutcomeUnknown."""
    finding = await fetch_invoice(context.client, invoice_id)
    if finding.state is InvoiceState.OPEN_PROCESSING:
        await _store(context, payment_intent_id=finding.payment_intent_id, at_the_bank=True, done=True)
        return
    if finding.paid is None:
        raise OutcomeUnknown(f"paid, but the invoice is {finding.state}")
    await _apply(context, finding.paid)


async def _is_paid_already(context: ChargeContext, invoice_id: str) -> bool:
    """Return whether a coupon or the customer's balance has paid it: then Stripe refuses to charge it."""
    finding = await fetch_invoice(context.client, invoice_id)
    if finding.paid is not None:
        await _apply(context, finding.paid)
    return finding.paid is not None


async def _apply(context: ChargeContext, invoice: PaidInvoice) -> None:
    async with context.database.transaction() as session:
        purchase = await ledger.lock_purchase(session, context.purchase_id)
        if purchase is None:
            raise LostTheRow(str(context.purchase_id))
        purchase.leased_until = None
        cause = Cause(actor="stripe", at=datetime.now(UTC), reason="paid while the buyer waited")
        outcome = await apply_payment(session, purchase=purchase, invoice=invoice, cause=cause)
        if not isinstance(outcome, Mismatch):
            await release_waiting(session, outcome)


async def _store(
    context: ChargeContext,
    *,
    action_url: str | None = None,
    price_id: str | None = None,
    at_the_bank: bool = False,
    done: bool = False,
    **ids: Any,
) -> Purchase:
    """Store what is known and renew the lease before each call. Raises LostTheRow unless it is pending and ours."""
    async with context.database.transaction() as session:
        purchase = await ledger.lock_purchase(session, context.purchase_id)
        now = await database_now(session)
        if purchase is None or not is_leased(purchase.leased_until, now=now):
            raise LostTheRow("the lease ran out")
        learned = learn_ids(purchase, **ids)
        if purchase.status is Status.PENDING:
            if at_the_bank:
                wait_for_bank(purchase)
            else:
                wait_for_customer(purchase, action_url=action_url or purchase.action_url)
            purchase.stripe_price_id = purchase.stripe_price_id or price_id
            purchase.leased_until = None if done else now + context.lease
            purchase.updated_at = now
        await release_waiting(session, learned)
    if purchase.status is not Status.PENDING:
        raise LostTheRow(f"it is {purchase.status} already")
    return purchase


async def _fail(context: ChargeContext, *, code: str, declined: bool) -> None:
    """Fail the purchase; the status is committed before the job that voids its invoice runs."""
    async with context.database.transaction() as session:
        purchase = await ledger.lock_purchase(session, context.purchase_id)
        if purchase is None or purchase.status is not Status.PENDING:
            return
        now = datetime.now(UTC)
        purchase.leased_until = None
        note_failure(purchase, code=code, declined_at=now if declined else None)
        cause = Cause(actor="stripe", at=now, reason=code)
        if isinstance(move(session, purchase, Trigger.PAYMENT_FAILED, cause=cause), Step):
            await enqueue(session, VoidInvoice(purchase_id=purchase.id))
