"""The state machine, walked: every (status, trigger) is a row of the table as it was agreed, or refused."""

from itertools import product
from typing import Final

import pytest

from contracts import purchase_facts
from purchases.domain.transitions import TRANSITIONS, Announcement, Refused, Status, Step, Trigger, decide
from purchases.store.rows import Transition

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


def test_a_failed_payment_never_takes_back_what_is_paid_delivered_or_refunded() -> None:
    for status in (Status.PAID, Status.DELIVERED, Status.REFUNDED):
        assert isinstance(decide(status=status, trigger=Trigger.PAYMENT_FAILED), Refused)


@pytest.mark.parametrize("announcement", Announcement)
def test_every_announcement_is_a_fact_of_the_contracts(announcement: Announcement) -> None:
    assert issubclass(getattr(purchase_facts, announcement.value), purchase_facts.PurchaseFact)


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
