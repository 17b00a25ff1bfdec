"""LETTERS: who is mailed about what, and what makes it the same mail."""

from uuid import uuid4

import pytest

from contracts import FACTS
from notifier.letters.letters import LETTERS, SECOND_LETTERS, Mailable, Recipient, letters_for, mail_key
from tests.fixtures import mailable_facts as facts

TO_TEAM = (
    facts.paid,
    facts.cancelled,
    facts.refund_failed,
    facts.payment_returned,
    facts.payment_parked,
    facts.money_back_parked,
    facts.over_returned,
    facts.dispute_opened,
    facts.dispute_closed,
    facts.plan_payment_refunded,
    facts.plan_dispute_opened,
    facts.plan_dispute_closed,
    facts.plan_money_back_parked,
    facts.extra_subscription_ended,
    facts.subscription_parked,
)


@pytest.mark.parametrize("fact", [make() for make in TO_TEAM], ids=lambda fact: fact.TYPE)
def test_the_delivery_team_is_mailed(fact: Mailable) -> None:
    letter = facts.letter_for(fact)

    assert letter is not None
    assert letter.to is Recipient.TEAM


@pytest.mark.parametrize("fact", [facts.refund_issued(), facts.renewal_failed()], ids=lambda fact: fact.TYPE)
def test_the_owner_is_mailed_about_a_refund_and_a_failed_renewal(fact: Mailable) -> None:
    letter = facts.letter_for(fact)

    assert letter is not None
    assert letter.to is Recipient.OWNER


def test_a_cancellation_before_payment_is_nobodys_mail() -> None:
    assert facts.letter_for(facts.cancelled(previous_status="pending")) is None


def test_facts_without_a_row_are_nobodys_mail() -> None:
    assert {fact.TYPE for fact in LETTERS} == {fact.TYPE for fact in facts.one_of_each()}
    assert {"billing.purchase.paid.v1", "billing.refund.issued.v1"} <= set(FACTS)


def test_letters_have_different_names() -> None:
    """A name is part of the key: two letters of one name would swallow each other."""
    names = {letter.name for letter in (*LETTERS.values(), *SECOND_LETTERS.values())}

    assert len(LETTERS) + len(SECOND_LETTERS) == len(names)


def test_a_correction_is_a_mail_of_its_own() -> None:
    letter = facts.letter_for(facts.plan_payment_refunded())
    assert letter is not None
    first = facts.plan_payment_refunded(workspace_id="ws_1", refund_cents=60_800)
    corrected = facts.plan_payment_refunded(workspace_id="ws_1", previously_cents=60_800)

    assert mail_key(letter=letter, fact=first) != mail_key(letter=letter, fact=corrected)


def test_a_refund_mailed_as_made_that_failed_is_mailed_to_the_owner_too() -> None:
    purchase_id, refund_id = uuid4(), uuid4()
    fact = facts.refund_undone(purchase_id=purchase_id, refund_id=refund_id)

    assert [letter.to for letter in letters_for(fact)] == [Recipient.TEAM, Recipient.OWNER]
    assert [mail_key(letter=letter, fact=fact) for letter in letters_for(fact)] == [
        f"refund-failed:{purchase_id}:{refund_id}",
        f"refund-undone:{purchase_id}:{refund_id}",
    ]


def test_of_a_refund_never_mailed_as_made_the_owner_gets_no_mail() -> None:
    assert [letter.to for letter in letters_for(facts.refund_failed())] == [Recipient.TEAM]


def key(fact: Mailable) -> str:
    letter = facts.letter_for(fact)
    assert letter is not None
    return mail_key(letter=letter, fact=fact)


def test_the_key_is_made_of_business_ids_only() -> None:
    """The same happening published anew, with another sequence, at another time and so another fact id."""
    purchase_id = uuid4()

    first = facts.refund_issued(purchase_id=purchase_id, sequence=3)
    again = facts.refund_issued(purchase_id=purchase_id, sequence=9, owner_email="new@northwind.example")

    assert first.id != again.id
    assert key(first) == key(again) == f"refund-issued:{purchase_id}:re_1"


def test_a_renewal_is_mailed_about_once_an_invoice_however_often_it_is_tried() -> None:
    first = facts.renewal_failed(workspace_id="ws_1", sequence=4)
    retried = facts.renewal_failed(workspace_id="ws_1", sequence=6, next_attempt_at=None)
    next_month = facts.renewal_failed(workspace_id="ws_1", sequence=9, stripe_invoice_id="in_5")

    assert key(first) == key(retried) == "renewal-failed:ws_1:in_4"
    assert key(next_month) != key(first)


def test_two_refunds_of_one_purchase_are_two_mails() -> None:
    purchase_id = uuid4()

    keys = {key(facts.refund_issued(purchase_id=purchase_id, stripe_refund_id=refund)) for refund in ("re_1", "re_2")}

    assert len(keys) == 2


def test_each_money_that_goes_back_of_an_extra_subscription_is_a_mail() -> None:
    first = facts.extra_subscription_ended(workspace_id="ws_1", sequence=4)
    again = facts.extra_subscription_ended(workspace_id="ws_1", sequence=6)
    more = facts.extra_subscription_ended(workspace_id="ws_1", returned_cents=1800, returned_before_cents=900)
    most = facts.extra_subscription_ended(workspace_id="ws_1", returned_cents=2700, returned_before_cents=1800)

    assert key(first) == key(again) == "extra-subscription-ended:ws_1:sub_2"
    assert len({key(first), key(more), key(most)}) == 3


def test_all_letters_of_one_purchase_have_keys_of_their_own() -> None:
    purchase_id = uuid4()

    keys = {key(fact.model_copy(update={"purchase_id": purchase_id})) for fact in facts.one_of_each()}

    assert len(keys) == len(LETTERS)
