"""What is found at Stripe, and what that means for a purchase whose end was never heard of."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from purchases.ledger.transitions import Status, Trigger
from purchases.stripe_api.values import Finding, InvoiceState

REACH: Final = timedelta(days=35)
"""So far back Stripe's lists are compared; what was parked is kept for longer (`PARKED_KEPT_DAYS`, at least 40)."""
AUTHENTICATION_LAPSES_AFTER: Final = timedelta(hours=23)
"""Stripe forgets idempotency keys after 24 hours; by then nothing that waits for the customer may be open."""
BANK_ANSWERS_WITHIN: Final = timedelta(days=30)
"""A debit takes up to 14 days (https://docs.stripe.com/payments/bank-debits); after this the team looks at it."""


PAID_IN_PART: Final = "its invoice is paid in part: wait for the rest, or refund the parts and void it at Stripe"
BANK_IS_SILENT: Final = "the bank has the payment for 30 days, and Stripe has not said what came of it"
"""Why an invoice that stays open is parked."""


class Verdict(StrEnum):
    """What to do with the purchase, besides a transition."""

    WAIT = "wait"
    PARK = "park"
    """Wait on, and have the team look at it."""
    CLOSE_AT_STRIPE = "close_at_stripe"
    NOTHING_OPEN = "nothing_open"


@dataclass(frozen=True, slots=True)
class Decision:
    """`trigger` moves the purchase (None: it stays); `verdict` says what is still to be done at Stripe."""

    trigger: Trigger | None
    verdict: Verdict


_WAIT: Final = Decision(None, Verdict.WAIT)
_PARK: Final = Decision(None, Verdict.PARK)


def decide_on(*, status: Status, finding: Finding, leased: bool, started_at: datetime, now: datetime) -> Decision:
    """Read SPEC §3's table «found at Stripe»; PAID is not in it, since the payment's own handler takes it."""
    state = finding.state
    if state is InvoiceState.PAID_IN_PART:
        return _PARK
    if status is not Status.PENDING:
        return _closing(state)
    if leased and state in {InvoiceState.DRAFT, InvoiceState.NOTHING, InvoiceState.OPEN_UNTRIED}:
        return _WAIT
    match state:
        case InvoiceState.OPEN_PROCESSING:
            return _PARK if now - started_at >= BANK_ANSWERS_WITHIN else _WAIT
        case InvoiceState.OPEN_NEEDS_CUSTOMER:
            lapsed = now - started_at >= AUTHENTICATION_LAPSES_AFTER
            return Decision(Trigger.AUTHENTICATION_LAPSED, Verdict.CLOSE_AT_STRIPE) if lapsed else _WAIT
        case InvoiceState.NOTHING:
            return Decision(Trigger.NOTHING_AT_STRIPE, Verdict.NOTHING_OPEN)
        case InvoiceState.VOID:
            return Decision(Trigger.INVOICE_VOIDED, Verdict.NOTHING_OPEN)
        case InvoiceState.DRAFT:
            return Decision(Trigger.NOTHING_AT_STRIPE, Verdict.CLOSE_AT_STRIPE)
        case _:
            return Decision(Trigger.PAYMENT_FAILED, Verdict.CLOSE_AT_STRIPE)


def _closing(state: InvoiceState) -> Decision:
    closed = state in {InvoiceState.VOID, InvoiceState.NOTHING}
    return Decision(None, Verdict.NOTHING_OPEN if closed else Verdict.CLOSE_AT_STRIPE)
