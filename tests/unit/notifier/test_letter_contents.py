"""What each mail of the specification says, in text and in HTML, in four currencies and as two locales write them."""

from collections.abc import Callable
from html import unescape

import pytest

from notifier.letters.letters import LETTERS, Mailable, letters_for
from tests.fixtures import mailable_facts as facts
from tests.unit.notifier.written import NBSP, must_say, written

AMOUNTS = {
    ("EUR", "en"): (49900, "€499.00"),
    ("EUR", "de"): (49900, f"499,00{NBSP}€"),
    ("USD", "en"): (123456, "$1,234.56"),
    ("USD", "de"): (123456, f"1.234,56{NBSP}$"),
    ("JPY", "en"): (49900, "¥49,900"),
    ("JPY", "de"): (49900, f"49.900{NBSP}¥"),
    ("KWD", "en"): (12500, f"KWD{NBSP}12.500"),
    ("KWD", "de"): (12500, f"12,500{NBSP}KWD"),
}
each_amount = pytest.mark.parametrize(("currency", "locale"), AMOUNTS, ids=lambda value: value)


MONEY: dict[str, Callable[[str, int], tuple[Mailable, str]]] = {
    "purchase-paid": lambda code, cents: (facts.paid(currency=code, price_cents=cents, paid_cents=cents), "Paid"),
    "cancelled-after-payment": lambda code, cents: (facts.cancelled(currency=code, price_cents=cents), "Price"),
    "payment-returned": lambda code, cents: (facts.payment_returned(currency=code, returned_cents=cents), "Sent back"),
    "payment-parked": lambda code, cents: (
        facts.payment_parked(amount_paid_currency=code, amount_paid_cents=cents),
        "Received",
    ),
    "money-back-parked": lambda code, cents: (
        facts.money_back_parked(money_back_currency=code, money_back_cents=cents),
        "Money back",
    ),
    "over-returned": lambda code, cents: (facts.over_returned(currency=code, over_returned_cents=cents), "Beyond that"),
    "refund-issued": lambda code, cents: (facts.refund_issued(currency=code, refund_cents=cents), "Refund"),
    "refund-failed": lambda code, cents: (facts.refund_failed(currency=code, refund_cents=cents), "Refund"),
    "dispute-opened": lambda code, cents: (facts.dispute_opened(currency=code, dispute_cents=cents), "Disputed"),
    "dispute-closed": lambda code, cents: (facts.dispute_closed(currency=code, dispute_cents=cents), "Disputed"),
    "extra-subscription-ended": lambda code, cents: (
        facts.extra_subscription_ended(currency=code, returned_cents=cents),
        "Sent back",
    ),
    "plan-payment-refunded": lambda code, cents: (
        facts.plan_payment_refunded(currency=code, refund_cents=cents),
        "Refund",
    ),
    "plan-dispute-opened": lambda code, cents: (
        facts.plan_dispute_opened(currency=code, dispute_cents=cents),
        "Disputed",
    ),
    "plan-dispute-closed": lambda code, cents: (
        facts.plan_dispute_closed(currency=code, dispute_cents=cents),
        "Disputed",
    ),
    "plan-money-back-parked": lambda code, cents: (
        facts.plan_money_back_parked(money_back_currency=code, money_back_cents=cents),
        "Money back",
    ),
    "renewal-failed": lambda code, cents: (facts.renewal_failed(currency=code, amount_due_cents=cents), "Amount due"),
}


def test_every_letter_is_looked_at() -> None:
    assert {letter.name for letter in LETTERS.values()} == set(MONEY) | {"subscription-parked"}


@each_amount
@pytest.mark.parametrize("name", MONEY)
def test_the_amount_is_written_as_currency_and_locale_want_it(name: str, currency: str, locale: str) -> None:
    cents, amount = AMOUNTS[currency, locale]
    fact, label = MONEY[name](currency, cents)

    rendered, _ = written(fact, locale=locale)

    assert f"{label}: {amount}" in rendered.text
    assert amount in unescape(rendered.html)


@each_amount
@pytest.mark.parametrize(
    "name",
    sorted(set(MONEY) - {"cancelled-after-payment", "payment-parked", "money-back-parked", "plan-money-back-parked"}),
)
def test_the_subject_names_the_amount_too(name: str, currency: str, locale: str) -> None:
    cents, amount = AMOUNTS[currency, locale]
    fact, _ = MONEY[name](currency, cents)

    assert amount.replace(NBSP, " ") in written(fact, locale=locale)[0].subject


@pytest.mark.parametrize(
    ("locale", "moment"),
    [
        ("en", "Date: Mar 20, 2026, 11:45 AM UTC"),
        ("en_GB", "Date: 20 Mar 2026, 11:45 UTC"),
        ("de", "Date: 20.03.2026, 11:45 UTC"),
        ("ja", "Date: 2026/03/20, 11:45 UTC"),
    ],
)
def test_a_time_is_written_as_the_locale_wants_it_and_names_its_zone(locale: str, moment: str) -> None:
    assert moment in written(facts.paid(), locale=locale)[0].text


def test_a_new_purchase_tells_the_team_to_start() -> None:
    fact = facts.paid()

    must_say(
        fact,
        "Northwind Traders bought Professional AI Setup. The payment of €499.00 is confirmed",
        "Mark the purchase as delivered when the work is complete.",
        "dana@northwind.example",
        f"https://billing.example/admin/purchases/{fact.purchase_id}",
    )


def test_a_cancellation_after_payment_asks_the_team_for_a_decision() -> None:
    must_say(
        facts.cancelled(actor="user:u_1", reason="bought twice"),
        "was cancelled after it had been paid",
        "please decide about a refund",
        "user:u_1",
        "bought twice",
    )


def test_a_cancellation_with_a_refund_names_its_amount_instead() -> None:
    fact = facts.cancelled(paid_cents=49900, refund_requested_cents=20000)

    must_say(fact, "€499.00", "A refund of €200.00 was asked for with it")
    assert "please decide" not in written(fact)[0].text


def test_a_refund_that_stripe_would_not_make_is_mailed_too() -> None:
    must_say(facts.refund_failed(stripe_refund_id=None, failure_reason="charge_disputed"), "charge_disputed")


def test_a_share_of_the_plan_that_was_mailed_wrongly_is_corrected() -> None:
    for fact in (
        facts.plan_payment_refunded(previously_cents=60_800),
        facts.plan_dispute_opened(previously_cents=60_800),
        facts.plan_dispute_closed(previously_cents=60_800),
    ):
        must_say(fact, "Correction: an earlier mail said €608.00", "€9.00 of it are the plan's")


def test_what_we_sent_back_ourselves_is_mailed_about_once() -> None:
    assert facts.letter_for(facts.plan_payment_refunded(automatic=True)) is None
    assert facts.letter_for(facts.plan_payment_refunded(automatic=True, outcome="failed")) is not None


def test_returned_money_says_why() -> None:
    must_say(
        facts.payment_returned(), "is being refunded automatically", "the purchase was cancelled", "Sent back", "in_2"
    )


def test_parked_money_says_what_came_and_what_was_sold() -> None:
    must_say(facts.payment_parked(), "does not fit what was sold", "$498.00", "€499.00", "in_3")


def test_money_back_that_waits_says_how_much_and_which() -> None:
    must_say(facts.money_back_parked(), "waits until somebody decides", "$7.00", "re_4")
    disputed = facts.money_back_parked(stripe_refund_id=None, stripe_dispute_id="dp_4")
    must_say(disputed, "dp_4")
    bundle = facts.money_back_parked(addons=("Professional AI Setup", "Team Onboarding"))
    must_say(bundle, "for Professional AI Setup, Team Onboarding goes back")


def test_the_team_is_mailed_that_too_much_went_back() -> None:
    must_say(facts.over_returned(), "€100.00 more went back to Northwind Traders", "€499.00", "dp_2")


def test_a_refund_tells_the_owner_how_much_in_all() -> None:
    must_say(
        facts.refund_issued(refunded_cents=15000),
        "We have refunded €100.00 for Professional AI Setup",
        "€150.00",
        "help@quittance.example",
    )


def test_credit_that_was_given_back_is_called_credit_and_not_a_refund_to_a_card() -> None:
    fact = facts.refund_issued(returned_to="credit_balance", refunded_cents=15000)

    must_say(fact, "given €100.00 for Professional AI Setup back as credit on your account balance", "not on your card")
    assert "payment method" not in written(fact)[0].text


def test_credit_that_stripe_refused_tells_the_team_how_much_and_where_to_give_it() -> None:
    must_say(facts.refund_failed(returned_to="credit_balance"), "€100.00 of credit", "in Stripe's Dashboard")


def test_what_was_paid_outside_of_stripe_asks_for_no_refund() -> None:
    fact = facts.cancelled(paid_cents=49900, paid_outside_stripe_cents=49900)

    must_say(fact, "€499.00 of it was paid outside of Stripe, which cannot send that back")
    assert "please decide" not in written(fact)[0].text


def test_returned_money_names_what_goes_to_the_credit_balance() -> None:
    must_say(facts.payment_returned(returned_credit_cents=20000), "€200.00 of it to the customer's credit balance")


def test_a_failed_refund_tells_the_team_the_banks_reason() -> None:
    must_say(facts.refund_failed(), "did not reach the customer", "expired_or_canceled_card", "re_1")


def test_an_opened_dispute_says_what_is_wanted_why_and_until_when_to_answer() -> None:
    fact = facts.dispute_opened(dispute_cents=10000)

    rendered, _ = written(fact)

    assert rendered.subject == "Dispute opened: €100.00 of Northwind Traders for Professional AI Setup"
    must_say(
        fact,
        "The cardholder's bank wants €100.00 back",
        "Answer in Stripe's Dashboard until Apr 2, 2026, 11:59 PM UTC",
        "product_not_received",
        "dp_1",
        f"https://billing.example/admin/purchases/{fact.purchase_id}",
    )
    must_say(facts.dispute_opened(evidence_due_at=None), "Look at it in Stripe's Dashboard")


@pytest.mark.parametrize(
    ("outcome", "consequence"),
    [
        ("lost", "It counts like a refund"),
        ("won", "the purchase stays as it is"),
        ("warning_closed", "Stripe's Dashboard shows what follows from it"),
    ],
)
def test_a_closed_dispute_says_how_it_ended_and_what_follows(outcome: str, consequence: str) -> None:
    fact = facts.dispute_closed(outcome=outcome)

    rendered, _ = written(fact)

    assert rendered.subject.startswith(f"Dispute closed ({outcome.replace('_', ' ')}): €499.00")
    must_say(fact, consequence)


def test_the_owner_reads_that_the_refund_did_not_come_and_nothing_of_the_banks_reason() -> None:
    fact = facts.refund_undone(refund_cents=10000)
    _, readings = written(fact, letter=letters_for(fact)[1])

    assert readings[0] == "The refund of €100.00 for Professional AI Setup did not go through"
    for said in readings[1:]:
        assert "the money has not reached you, and is back with us" in said
        assert "help@quittance.example" in said
        assert "expired_or_canceled_card" not in said
