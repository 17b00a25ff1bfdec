"""Refunds (https://docs.stripe.com/api/refunds), which may fail or settle later."""

from dataclasses import replace

from sandbox.stripe import refunding
from sandbox.stripe.call import Call
from sandbox.stripe.listing import filtered, page
from sandbox.stripe.model import Charge, Json, Refund
from sandbox.stripe.refusals import Refusal, parameter_missing

REASONS = ("duplicate", "fraudulent", "requested_by_customer")


def create(call: Call) -> Refund:
    """Give money back, in full unless `amount` says how much."""
    charge = _charge_of(call)
    amount = call.params.integer("amount")
    return refunding.refund(
        call=call,
        charge=charge,
        amount=charge.amount_captured - charge.amount_refunded if amount is None else amount,
        reason=call.params.choice("reason", among=REASONS),
        metadata=call.params.metadata(),
    )


def retrieve(call: Call) -> Refund:
    return call.account.refunds.get(call.id)


def update(call: Call) -> Refund:
    """Metadata only."""
    before = call.account.refunds.get(call.id)
    refund = call.save(replace(before, metadata=call.params.metadata(current=before.metadata)))
    refunding.tell_of_update(call=call, refund=refund, before=before)
    return refund


def list_(call: Call) -> Json:
    """Refunds by charge or payment intent."""
    account = call.account
    things = filtered(held=account.refunds, call=call, by="charge", known=account.charges)
    known = account.payment_intents
    things = filtered(held=account.refunds, call=call, by="payment_intent", known=known, rest=things)
    return page(call=call, things=things, url="/v1/refunds")


def list_of_charge(call: Call) -> Json:
    """List `/v1/charges/{id}/refunds`."""
    charge = call.account.charges.get(call.id)
    url = f"/v1/charges/{charge.id}/refunds"
    return page(call=call, things=call.account.refunds.where("charge", charge.id), url=url)


def _charge_of(call: Call) -> Charge:
    charge, intent = call.params.text("charge"), call.params.text("payment_intent")
    if charge:
        return call.account.charges.get(charge, param="charge")
    if not intent:
        raise parameter_missing(param="charge")
    latest = call.account.payment_intents.get(intent, param="payment_intent").latest_charge
    found = latest and call.account.charges.get(latest)
    if not found or found.status != "succeeded":
        raise Refusal(f"This PaymentIntent ({intent}) does not have a successful charge to refund.")
    return found
