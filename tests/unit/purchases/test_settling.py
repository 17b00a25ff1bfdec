"""SPEC §3's table «found at Stripe», row by row."""

from datetime import UTC, datetime, timedelta

import pytest

from purchases.ledger.transitions import Status, Trigger
from purchases.reconcile.rules import Decision, Verdict, decide_on
from purchases.stripe_api.values import Finding, InvoiceState

STARTED = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
SOON = STARTED + timedelta(minutes=4)
WAIT = Decision(None, Verdict.WAIT)
HOURS_23 = STARTED + timedelta(hours=23)
DAYS_30 = STARTED + timedelta(days=30)


def settled(
    state: InvoiceState, *, status: Status = Status.PENDING, leased: bool = False, now: datetime = SOON
) -> Decision:
    return decide_on(status=status, finding=Finding(state=state), leased=leased, started_at=STARTED, now=now)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (InvoiceState.DRAFT, Decision(Trigger.NOTHING_AT_STRIPE, Verdict.CLOSE_AT_STRIPE)),
        (InvoiceState.OPEN_NEEDS_CUSTOMER, WAIT),
        (InvoiceState.OPEN_PROCESSING, WAIT),
        (InvoiceState.OPEN_DECLINED, Decision(Trigger.PAYMENT_FAILED, Verdict.CLOSE_AT_STRIPE)),
        (InvoiceState.OPEN_UNTRIED, Decision(Trigger.PAYMENT_FAILED, Verdict.CLOSE_AT_STRIPE)),
        (InvoiceState.VOID, Decision(Trigger.INVOICE_VOIDED, Verdict.NOTHING_OPEN)),
        (InvoiceState.UNCOLLECTIBLE, Decision(Trigger.PAYMENT_FAILED, Verdict.CLOSE_AT_STRIPE)),
        (InvoiceState.NOTHING, Decision(Trigger.NOTHING_AT_STRIPE, Verdict.NOTHING_OPEN)),
    ],
)
def test_what_is_found_decides_about_a_pending_purchase(state: InvoiceState, expected: Decision) -> None:
    assert expected == settled(state)


def test_a_customer_who_does_not_come_is_waited_for_23_hours() -> None:
    state = InvoiceState.OPEN_NEEDS_CUSTOMER
    assert settled(state, now=HOURS_23 - timedelta(seconds=1)) == WAIT
    assert Decision(Trigger.AUTHENTICATION_LAPSED, Verdict.CLOSE_AT_STRIPE) == settled(state, now=HOURS_23)


def test_a_bank_is_waited_for_without_end_and_the_team_mailed_after_30_days() -> None:
    state = InvoiceState.OPEN_PROCESSING
    assert settled(state, now=DAYS_30 - timedelta(seconds=1)) == WAIT
    assert Decision(None, Verdict.PARK) == settled(state, now=DAYS_30)


@pytest.mark.parametrize("state", [InvoiceState.DRAFT, InvoiceState.NOTHING, InvoiceState.OPEN_UNTRIED])
def test_what_a_buyer_may_still_be_making_is_left_while_he_is_at_work(state: InvoiceState) -> None:
    assert settled(state, leased=True) == WAIT


@pytest.mark.parametrize("state", [InvoiceState.VOID, InvoiceState.OPEN_DECLINED, InvoiceState.UNCOLLECTIBLE])
def test_a_lease_does_not_keep_what_is_over(state: InvoiceState) -> None:
    assert settled(state, leased=True) != WAIT


@pytest.mark.parametrize("status", list(Status))
def test_what_is_paid_in_part_is_left_to_the_team_and_never_closed(status: Status) -> None:
    assert Decision(None, Verdict.PARK) == settled(InvoiceState.PAID_IN_PART, status=status)


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.PENDING])
@pytest.mark.parametrize("state", sorted(set(InvoiceState) - {InvoiceState.PAID, InvoiceState.PAID_IN_PART}))
def test_a_purchase_that_is_over_is_only_closed_at_stripe(status: Status, state: InvoiceState) -> None:
    closed = state in {InvoiceState.VOID, InvoiceState.NOTHING}
    verdict = Verdict.NOTHING_OPEN if closed else Verdict.CLOSE_AT_STRIPE
    assert Decision(None, verdict) == settled(state, status=status)
