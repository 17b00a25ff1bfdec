"""The life of a dispute (https://docs.stripe.com/disputes/how-disputes-work): opened by a bank, answered, closed."""

from dataclasses import replace
from typing import Final

from sandbox.stripe.call import Call, outside
from sandbox.stripe.cards import CARDS
from sandbox.stripe.dispute_model import Dispute
from sandbox.stripe.ids import new_id
from sandbox.stripe.model import Charge
from sandbox.stripe.refusals import Refusal
from sandbox.stripe.thing import Json

REASONS: Final = (
    "bank_cannot_process", "check_returned", "credit_not_processed", "customer_initiated", "debit_not_authorized",
    "duplicate", "fraudulent", "general", "incorrect_account_details", "insufficient_funds", "noncompliant",
    "product_not_received", "product_unacceptable", "subscription_canceled", "unrecognized",
)  # fmt: skip
ENDS: Final = ("won", "lost", "warning_closed")
ANSWER_WITHIN: Final = 9 * 24 * 3600
"""Seconds that the seller has for his evidence."""

TEST_EVIDENCE: Final = {"winning_evidence": "won", "losing_evidence": "lost"}
"""What `evidence[uncategorized_text]` does in test mode (https://docs.stripe.com/testing#evidence)."""


def open_as_the_card_says(*, call: Call, charge: Charge) -> None:
    """Dispute the payment at once, if its card is one whose payments are."""
    card = CARDS[charge.card]
    if card.dispute is None:
        return
    reason = card.dispute

    def act() -> None:
        known = call.account.charges.find(charge.id)
        if known:
            open_(call=outside(call.account, known), charge=known, reason=reason, inquiry=card.inquiry)

    call.account.later(0, act)


def open_(*, call: Call, charge: Charge, amount: int | None = None, reason: str, inquiry: bool = False) -> Dispute:
    """Take `amount` (default: what was not refunded) back, as the bank, or only ask. Raises Refusal."""
    _refuse_to_open(call=call, charge=charge, amount=amount, reason=reason)
    opened = Dispute(
        id=new_id(prefix="du"),
        created=call.now,
        amount=charge.amount_captured - charge.amount_refunded if amount is None else amount,
        currency=charge.currency,
        charge=charge.id,
        payment_intent=charge.payment_intent,
        brand=CARDS[charge.card].brand,
        reason=reason,
        status="warning_needs_response" if inquiry else "needs_response",
        due_by=call.now + ANSWER_WITHIN,
        withdrawn_at=None if inquiry else call.now,
    )
    call.save(opened)
    call.save(replace(charge, disputed=True))
    call.emit("charge.dispute.created", opened)
    if not inquiry:
        call.emit("charge.dispute.funds_withdrawn", opened)
    return opened


def close(*, call: Call, dispute: Dispute, status: str) -> Dispute:
    """Close it: `won` or `lost`, and `warning_closed` for an inquiry. A won one gives the money back."""
    _refuse_to_close(dispute=dispute, status=status)
    closed = replace(dispute, status=status, reinstated_at=call.now if status == "won" else None)
    call.save(closed)
    call.emit("charge.dispute.closed", closed, before=dispute)
    if status == "won":
        call.emit("charge.dispute.funds_reinstated", closed)
    return closed


def answer(*, dispute: Dispute, evidence: Json, submit: bool) -> Dispute:
    """Keep the seller's evidence; once submitted, the bank looks at it."""
    if evidence and not dispute.is_open:
        raise Refusal("This dispute is closed and its evidence can no longer be changed.", param="evidence")
    changed = replace(dispute, evidence={**dispute.evidence, **evidence})
    if evidence and submit:
        status = "warning_under_review" if dispute.is_inquiry else "under_review"
        changed = replace(changed, status=status, submissions=dispute.submissions + 1)
    return changed


def judge_test_evidence(*, call: Call, dispute: Dispute) -> None:
    """Close a submitted dispute as Stripe's two magic texts say."""
    end = TEST_EVIDENCE.get(str(dispute.evidence.get("uncategorized_text")))
    if end is None or not dispute.submissions:
        return

    def act() -> None:
        known = call.account.disputes.find(dispute.id)
        if known and known.is_open:
            status = "warning_closed" if known.is_inquiry else end
            charge = call.account.charges.get(known.charge)
            close(call=outside(call.account, charge), dispute=known, status=status)

    call.account.later(0, act)


def is_charge_refundable(dispute: Dispute) -> bool:
    """Return whether the charge is left to its seller, as by an inquiry and a dispute that was won."""
    return dispute.is_inquiry or dispute.status == "won"


def _refuse_to_open(*, call: Call, charge: Charge, amount: int | None, reason: str) -> None:
    left = charge.amount_captured - charge.amount_refunded
    if reason not in REASONS:
        raise Refusal(f"No such reason: {reason}. There are: {', '.join(REASONS)}", param="reason")
    if not 0 < (left if amount is None else amount) <= left:
        raise Refusal(f"Charge {charge.id} has {left} to dispute.", param="amount")
    if any(one.is_open for one in call.account.disputes.where("charge", charge.id)):
        raise Refusal(f"Charge {charge.id} is disputed already.", param="charge")


def _refuse_to_close(*, dispute: Dispute, status: str) -> None:
    if not dispute.is_open:
        raise Refusal(f"This dispute is closed already: it has a status of {dispute.status}.")
    if status not in ENDS or dispute.is_inquiry != (status == "warning_closed"):
        raise Refusal(f"A dispute with a status of {dispute.status} cannot end as {status}.", param="status")
