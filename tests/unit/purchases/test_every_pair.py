"""The state machine, walked: every (status, trigger) is a row of the table as it was agreed, or refused."""

from itertools import product
from typing import Final

import pytest

from contracts import purchase_facts
from purchases.ledger.move import STAMPS
from purchases.ledger.publish import FACTS
from purchases.ledger.rows import Purchase, Transition
from purchases.ledger.transitions import TRANSITIONS, Announcement, Refused, Status, Step, Trigger, decide, restoring

# fmt: off
AGREED: Final = {
    ("pending",   "payment_succeeded"):              ("paid",      "PurchasePaid"),
    ("failed",    "payment_succeeded"):              ("paid",      "PurchasePaid"),
    ("pending",   "payment_failed"):                 ("failed",    "PurchaseFailed"),
    ("pending",   "invoice_voided"):                 ("failed",    "PurchaseFailed"),
    ("pending",   "nothing_at_stripe"):              ("failed",    "PurchaseFailed"),
    ("pending",   "cancelled"):                      ("cancelled", "PurchaseCancelled"),
    ("pending",   "session_expired"):                ("cancelled", "PurchaseCancelled"),
    ("pending",   "authentication_lapsed"):          ("cancelled", "PurchaseCancelled"),
    ("paid",      "delivered"):                      ("delivered", "PurchaseDelivered"),
    ("paid",      "cancelled"):                      ("cancelled", "PurchaseCancelled"),
    ("paid",      "refunded_in_full"):               ("refunded",  "PurchaseRefunded"),
    ("delivered", "refunded_in_full"):               ("refunded",  "PurchaseRefunded"),
    ("refunded",  "refund_failed_after_paid"):       ("paid",      "PurchaseRestored"),
    ("refunded",  "refund_failed_after_delivered"):  ("delivered", "PurchaseRestored"),
    ("delivered", "reopened"):                       ("cancelled", "PurchaseReopened"),
}
# fmt: on
"""The transitions as the product was specified, written down a second time."""

PAIRS: Final = list(product(Status, Trigger))


@pytest.mark.parametrize(("status", "trigger"), PAIRS, ids=lambda one: one.value)
def test_every_pair_is_a_row_or_refused(status: Status, trigger: Trigger) -> None:
    decided = decide(status=status, trigger=trigger)

    agreed = AGREED.get((status.value, trigger.value))
    if agreed is None:
        assert decided == Refused(status, trigger)
    else:
        assert decided == Step(Status(agreed[0]), Announcement(agreed[1]))


def test_the_table_has_no_other_row() -> None:
    assert {(status.value, trigger.value) for status, trigger in TRANSITIONS} == set(AGREED)


@pytest.mark.parametrize("status", [Status.PAID, Status.DELIVERED, Status.REFUNDED, Status.CANCELLED])
def test_a_failed_payment_never_regresses_what_is_settled(status: Status) -> None:
    for trigger in (Trigger.PAYMENT_FAILED, Trigger.INVOICE_VOIDED, Trigger.NOTHING_AT_STRIPE):
        assert isinstance(decide(status=status, trigger=trigger), Refused)


def test_a_failed_refund_puts_a_purchase_back_to_where_it_was() -> None:
    for before in (Status.PAID, Status.DELIVERED):
        step = decide(status=Status.REFUNDED, trigger=restoring(refunded_from=before))
        assert Step(before, Announcement.PURCHASE_RESTORED) == step


def test_every_announcement_is_a_fact_of_the_contracts() -> None:
    assert set(Announcement) == set(FACTS)
    assert all(issubclass(fact, purchase_facts.PurchaseFact) for fact in FACTS.values())


def test_every_status_that_is_entered_stamps_a_column() -> None:
    assert {step.status for step in TRANSITIONS.values()} == set(STAMPS)
    assert set(STAMPS.values()) <= set(Purchase.__table__.columns.keys())


@pytest.mark.parametrize("refused", [Refused(s, t) for s, t in PAIRS if (s, t) not in TRANSITIONS], ids=str)
def test_a_refusal_says_why_in_words(refused: Refused) -> None:
    assert refused.reason.startswith(f"a {refused.status} purchase cannot be ")
    assert "_" not in refused.reason


def test_no_line_of_the_history_can_be_written_without_its_actor() -> None:
    """Nor without its trigger and its time."""
    columns = Transition.__table__.columns

    assert [name for name in ("actor", "trigger", "at", "to_status", "sequence") if columns[name].nullable] == []
    assert columns["actor"].default is None
    assert columns["actor"].server_default is None
