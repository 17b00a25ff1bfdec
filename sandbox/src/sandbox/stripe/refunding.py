"""The life of a refund (https://docs.stripe.com/refunds): it counts while pending or succeeded, not once failed."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from sandbox.stripe import disputing
from sandbox.stripe.call import Call, outside
from sandbox.stripe.cards import CARDS
from sandbox.stripe.ids import new_id
from sandbox.stripe.model import Charge, Refund
from sandbox.stripe.money import shown
from sandbox.stripe.refusals import Refusal

OVER: Final = ("failed", "canceled")
"""Statuses of a refund that gives nothing back, for good."""


def refund(*, call: Call, charge: Charge, amount: int, reason: str | None, metadata: Mapping[str, str]) -> Refund:
    """Give `amount` of `charge` back, and tell of it. Raises Stripe's refusal of more than remains."""
    _refuse_too_much(charge=charge, amount=amount)
    _refuse_charged_back(call=call, charge=charge)
    fate = CARDS[charge.card].refund
    made = Refund(
        id=new_id(prefix="re"),
        created=call.now,
        metadata=metadata,
        amount=amount,
        currency=charge.currency,
        charge=charge.id,
        payment_intent=charge.payment_intent,
        customer=charge.customer,
        status="pending" if fate == "succeeded" else "succeeded",
        reason=reason,
    )
    call.save(made)
    refunded = call.save(replace(charge, amount_refunded=charge.amount_refunded + amount))
    call.emit("charge.refunded", refunded, before=charge)
    call.emit("refund.created", made)
    if fate:
        _settle_later(call=call, refund=made, status=fate)
    return made


def settle(*, call: Call, refund: Refund, status: str) -> Refund:
    """End the refund as the bank does: `succeeded` for a pending one, `failed` or `canceled` for either.

    The last two are final and give the charge its amount back.
    """
    if status not in (*OVER, "succeeded"):
        raise Refusal(f"A refund cannot settle as {status}", param="status")
    if refund.status in (status, *OVER):
        return refund
    reason = "lost_or_stolen_card" if status == "failed" else None
    settled = call.save(replace(refund, status=status, failure_reason=reason))
    if status in OVER:
        charge = call.account.charges.get(refund.charge)
        call.save(replace(charge, amount_refunded=charge.amount_refunded - refund.amount))
    if status == "failed":
        call.emit("refund.failed", settled)
    tell_of_update(call=call, refund=settled, before=refund)
    return settled


def tell_of_update(*, call: Call, refund: Refund, before: Refund) -> None:
    """Stripe sends both: `charge.refund.updated` is the older name."""
    call.emit("refund.updated", refund, before=before)
    call.emit("charge.refund.updated", refund, before=before)


def _refuse_too_much(*, charge: Charge, amount: int) -> None:
    left = charge.amount_captured - charge.amount_refunded
    if charge.status != "succeeded":
        raise Refusal(f"Charge {charge.id} cannot be refunded because it did not succeed.", param="charge")
    if charge.refunded:
        message = f"Charge {charge.id} has already been refunded."
        raise Refusal(message, code="charge_already_refunded")
    if amount <= 0:
        raise Refusal(
            "This value must be greater than or equal to 1.", code="parameter_invalid_integer", param="amount"
        )
    if amount > left:
        asked, rest = shown(amount, charge.currency), shown(left, charge.currency)
        message = f"Refund amount ({asked}) is greater than unrefunded amount on charge ({rest})"
        raise Refusal(message, param="amount")


def _refuse_charged_back(*, call: Call, charge: Charge) -> None:
    """Refuse where a bank has taken the money back, or may do so: nothing is left to give."""
    if any(not disputing.is_charge_refundable(one) for one in call.account.disputes.where("charge", charge.id)):
        message = f"Charge {charge.id} has been charged back; cannot issue a refund."
        raise Refusal(message, code="charge_disputed")


def _settle_later(*, call: Call, refund: Refund, status: str) -> None:
    def act() -> None:
        known = call.account.refunds.find(refund.id)
        if known:
            settle(call=outside(call.account, known), refund=known, status=status)

    delay = call.account.settings.refund_delay
    if delay is not None:
        call.account.later(delay, act)
