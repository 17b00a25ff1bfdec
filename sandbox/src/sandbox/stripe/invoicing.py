"""The life of an invoice (https://docs.stripe.com/invoicing/overview): draft, finalised, paid or void."""

from dataclasses import replace
from typing import Final

from sandbox.stripe import balances, payments
from sandbox.stripe.call import Call
from sandbox.stripe.ids import new_id, new_token
from sandbox.stripe.invoice_model import Invoice, InvoicePayment
from sandbox.stripe.model import Customer, PaymentIntent
from sandbox.stripe.money import check_amount, minimum_of
from sandbox.stripe.refusals import Refusal
from sandbox.stripe.subscriptions import dunning, following

DESCRIPTIONS: Final = {
    "subscription_create": "Subscription creation",
    "subscription_cycle": "Subscription update",
    "subscription_update": "Subscription update",
}
"""What Stripe writes on the payment intents of a subscription's invoices."""


def finalize(*, call: Call, invoice: Invoice, paid_by: PaymentIntent | None = None) -> Invoice:
    """Give the invoice its number, apply the customer's balance, make its payment intent or bind `paid_by` to it.

    What is due below the currency's minimum goes to the customer's balance, and the invoice is paid without a
    payment (https://docs.stripe.com/invoicing/customer/balance).
    """
    if invoice.status != "draft":
        message = "This invoice is already finalized, you can't re-finalize a non-draft invoice."
        raise Refusal(message, code="invoice_not_editable")
    check_amount(invoice.total, currency=invoice.currency)
    opened = _opened(call=call, invoice=invoice)
    if opened.due:
        opened = _with_intent(call=call, invoice=opened, paid_by=paid_by)
    call.save(opened)
    call.emit("invoice.updated", opened, before=invoice)
    call.emit("invoice.finalized", opened)
    return opened if opened.due else _settle_without_payment(call=call, invoice=opened)


def _opened(*, call: Call, invoice: Invoice) -> Invoice:
    customer = call.account.customers.get(invoice.customer, param="customer")
    asked = invoice.total + customer.balance
    too_small = asked < minimum_of(invoice.currency)
    opened = replace(
        invoice,
        status="open",
        number=f"{customer.invoice_prefix}-{customer.next_invoice_sequence:04}",
        amount_due=0 if too_small else asked,
        starting_balance=customer.balance,
        ending_balance=asked if too_small else 0,
        finalized_at=call.now,
        hosted_invoice_url=f"{call.account.settings.public_url}/i/{invoice.id}/{new_token(length=32)}",
    )
    numbered = call.save(replace(customer, next_invoice_sequence=customer.next_invoice_sequence + 1))
    why = "invoice_too_small" if too_small and asked > 0 else "applied_to_invoice"
    _move_balance(call=call, customer=numbered, balance=asked if too_small else 0, invoice=opened, why=why)
    _use_up_discount(call=call, invoice=opened)
    return opened


def _use_up_discount(*, call: Call, invoice: Invoice) -> None:
    """End a customer's coupon of duration `once`: it counts for one invoice."""
    customer = call.account.customers.get(invoice.customer)
    discount = customer.discount
    if discount and discount.coupon.duration == "once" and discount in invoice.discounts:
        call.save(replace(customer, discount=None))
        call.emit("customer.discount.deleted", discount)


def _move_balance(*, call: Call, customer: Customer, balance: int, invoice: Invoice, why: str) -> None:
    amount = balance - customer.balance
    if amount:
        currency = invoice.currency
        balances.move(call=call, customer=customer, amount=amount, currency=currency, type=why, invoice=invoice.id)


def _with_intent(*, call: Call, invoice: Invoice, paid_by: PaymentIntent | None) -> Invoice:
    intent = paid_by and payments.bind(call=call, intent=paid_by, invoice=invoice.id)
    intent = intent or payments.new_intent(
        call=call,
        amount=invoice.due,
        currency=invoice.currency,
        customer=invoice.customer,
        invoice=invoice.id,
        description=DESCRIPTIONS.get(invoice.billing_reason, "Payment for Invoice"),
    )
    payment = InvoicePayment(
        id=new_id(prefix="inpay"),
        created=call.now,
        invoice=invoice.id,
        payment_intent=intent.id,
        currency=invoice.currency,
        amount_requested=invoice.due,
    )
    call.save(payment)
    return replace(invoice, payment_intent=intent.id)


def _settle_without_payment(*, call: Call, invoice: Invoice) -> Invoice:
    return _paid(call=call, invoice=invoice, changed=replace(invoice, attempted=True))


def settle_out_of_band(*, call: Call, invoice: Invoice) -> Invoice:
    """Mark what is left to be paid as paid outside of Stripe; the intent is cancelled.

    No payment succeeded, so only `invoice.paid` tells of it (https://docs.stripe.com/api/events/types).
    """
    refuse_unless(invoice, among=("open", "uncollectible"), verb="pay")
    _cancel_payment(call=call, invoice=invoice, reason="automatic")
    changed = replace(invoice, amount_paid=invoice.due, paid_off_stripe=invoice.remaining, attempted=True)
    return _paid(call=call, invoice=invoice, changed=changed, by_a_payment=False)


def follow(*, call: Call, intent: PaymentIntent, automatic: bool = False) -> None:
    """Tell the invoice what became of its intent. Does nothing for an intent of its own.

    `automatic`: the attempt was Stripe's own, which counts and is repeated in time.
    """
    if intent.invoice is None:
        return
    invoice = call.account.invoices.get(intent.invoice)
    if intent.status == "succeeded":
        _take_payment(call=call, invoice=invoice, intent=intent)
    elif intent.status == "processing":
        _note_debit(call=call, invoice=invoice, intent=intent)
    elif intent.status in payments.OPEN:
        waits = needs_customer(intent)
        note_failure(call=call, invoice=invoice, charge=intent.latest_charge, waits=waits, automatic=automatic)


def _note_debit(*, call: Call, invoice: Invoice, intent: PaymentIntent) -> None:
    """Leave the invoice open while the bank has the payment; nothing is tried by itself meanwhile."""
    counted = max(invoice.attempt_count, 1)
    changed = replace(invoice, attempted=True, attempt_count=counted, charge=intent.latest_charge)
    changed = call.save(replace(changed, next_payment_attempt=None))
    call.emit("invoice.updated", changed, before=invoice)


def _take_payment(*, call: Call, invoice: Invoice, intent: PaymentIntent) -> None:
    payment = payment_of(call=call, invoice=invoice)
    settled = replace(payment, status="paid", amount_paid=intent.amount_received, paid_at=call.now)
    call.save(settled)
    changed = replace(
        invoice,
        amount_paid=invoice.amount_paid + intent.amount_received,
        attempted=True,
        attempt_count=max(invoice.attempt_count, 1),
        charge=intent.latest_charge,
    )
    _paid(call=call, invoice=invoice, changed=changed)
    call.emit("invoice_payment.paid", settled)


def take_part(*, call: Call, invoice: Invoice, intent: PaymentIntent) -> Invoice:
    """Credit an intent that has succeeded to an open invoice, whose default payment is asked for so much less.

    Source: https://docs.stripe.com/invoicing/partial-payments, since 2025-05-28.basil.
    """
    refuse_unless(invoice, among=("open", "uncollectible"), verb="attach a payment to")
    part = InvoicePayment(
        id=new_id(prefix="inpay"),
        created=call.now,
        invoice=invoice.id,
        payment_intent=intent.id,
        currency=invoice.currency,
        amount_requested=intent.amount_received,
        amount_paid=intent.amount_received,
        is_default=False,
        status="paid",
        paid_at=call.now,
    )
    call.save(part)
    changed = replace(
        invoice, amount_paid=invoice.amount_paid + intent.amount_received, attempted=True, charge=intent.latest_charge
    )
    _ask_for_less(call=call, invoice=changed)
    if changed.remaining > 0:
        call.save(changed)
        call.emit("invoice.updated", changed, before=invoice)
    else:
        changed = _paid(call=call, invoice=invoice, changed=changed)
    call.emit("invoice_payment.paid", part)
    return changed


def _ask_for_less(*, call: Call, invoice: Invoice) -> None:
    if invoice.remaining <= 0:
        _cancel_payment(call=call, invoice=invoice, reason="automatic")
        return
    intent = call.account.payment_intents.get(str(invoice.payment_intent))
    call.save(replace(intent, amount=invoice.remaining))
    call.save(replace(payment_of(call=call, invoice=invoice), amount_requested=invoice.remaining))


def _paid(*, call: Call, invoice: Invoice, changed: Invoice, by_a_payment: bool = True) -> Invoice:
    paid = call.save(replace(changed, status="paid", paid_at=call.now, next_payment_attempt=None))
    call.emit("invoice.updated", paid, before=invoice)
    call.emit("invoice.paid", paid)
    if by_a_payment:
        call.emit("invoice.payment_succeeded", paid)
    following.paid(call=call, invoice=paid)
    return paid


def note_failure(*, call: Call, invoice: Invoice, charge: str | None, waits: bool, automatic: bool) -> None:
    """`invoice.payment_failed` is also sent when the payment only needs the customer (`waits`).

    Attempts by hand after the first one do not count (https://docs.stripe.com/api/invoices/object, `attempt_count`).
    """
    counted = invoice.attempt_count + 1 if automatic else max(invoice.attempt_count, 1)
    changed = replace(invoice, attempted=True, attempt_count=counted, charge=charge)
    if automatic:
        changed = replace(changed, next_payment_attempt=dunning.next_attempt(call=call, invoice=changed))
    call.save(changed)
    call.emit("invoice.updated", changed, before=invoice)
    call.emit("invoice.payment_failed", changed)
    if waits:
        call.emit("invoice.payment_action_required", changed)
    following.failed(call=call, invoice=changed)
    if automatic and changed.next_payment_attempt is None:
        dunning.give_up(call=call, invoice=changed)


def needs_customer(intent: PaymentIntent) -> bool:
    """Return whether the bank waits for the customer, in either of Stripe's two ways of saying so."""
    code = (intent.last_payment_error or {}).get("code")
    return intent.status == "requires_action" or code == "authentication_required"


def void(*, call: Call, invoice: Invoice) -> Invoice:
    """Close an open or uncollectible invoice for good, and give back the balance that it had used.

    One that was paid in part stays as it is until the parts were refunded.
    """
    refuse_unless(invoice, among=("open", "uncollectible"), verb="void")
    if _is_paid_in_part(call=call, invoice=invoice):
        raise Refusal("You cannot void this invoice because it has been partially paid. Refund its payments first.")
    _cancel_payment(call=call, invoice=invoice, reason="void_invoice")
    _give_back_balance(call=call, invoice=invoice)
    voided = call.save(replace(invoice, status="void", voided_at=call.now, next_payment_attempt=None))
    call.emit("invoice.updated", voided, before=invoice)
    call.emit("invoice.voided", voided)
    following.voided(call=call, invoice=voided)
    return voided


def mark_uncollectible(*, call: Call, invoice: Invoice) -> Invoice:
    """Write an open invoice off; it could still be paid or voided."""
    refuse_unless(invoice, among=("open",), verb="mark as uncollectible")
    marked = replace(invoice, status="uncollectible", marked_uncollectible_at=call.now, next_payment_attempt=None)
    call.save(marked)
    call.emit("invoice.updated", marked, before=invoice)
    call.emit("invoice.marked_uncollectible", marked)
    return marked


def refuse_unless(invoice: Invoice, *, among: tuple[str, ...], verb: str) -> None:
    """Raise Stripe's complaint about an invoice whose status does not allow `verb`."""
    if invoice.status in among:
        return
    if invoice.status == "paid":
        raise Refusal("Invoice is already paid")
    raise Refusal(f"You can't {verb} an invoice with a status of {invoice.status}.")


def payment_of(*, call: Call, invoice: Invoice) -> InvoicePayment:
    """Return the default payment of a finalised invoice."""
    found = call.account.invoice_payments.where("invoice", invoice.id)
    return next(one for one in found if one.is_default)


def _is_paid_in_part(*, call: Call, invoice: Invoice) -> bool:
    parts = call.account.invoice_payments.where("invoice", invoice.id)
    intents = [one.payment_intent for one in parts if one.payment_intent]
    charges = [charge for intent in intents for charge in call.account.charges.where("payment_intent", intent)]
    charges += [call.account.charges.get(one.charge) for one in parts if one.charge]
    return any(one.status == "succeeded" and one.amount_refunded < one.amount_captured for one in charges)


def _cancel_payment(*, call: Call, invoice: Invoice, reason: str) -> None:
    if invoice.payment_intent is None:
        return
    intent = call.account.payment_intents.get(invoice.payment_intent)
    payments.cancel(call=call, intent=intent, reason=reason)
    payment = payment_of(call=call, invoice=invoice)
    call.save(replace(payment, status="canceled", canceled_at=call.now))


def _give_back_balance(*, call: Call, invoice: Invoice) -> None:
    customer = call.account.customers.find(invoice.customer)
    used = invoice.starting_balance - (invoice.ending_balance or 0)
    if customer and used:
        balance, why = customer.balance + used, "unapplied_from_invoice"
        _move_balance(call=call, customer=customer, balance=balance, invoice=invoice, why=why)
