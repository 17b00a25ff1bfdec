"""What the mails about a workspace's plan and its renewals say."""

from tests.fixtures import mailable_facts as facts
from tests.unit.notifier.written import must_say, written


def test_money_of_a_plan_tells_the_team_what_it_was_for_and_until_when_to_answer() -> None:
    must_say(
        facts.plan_payment_refunded(), "paid for a subscription went back", "re_5", "in_5", "dana@northwind.example"
    )
    must_say(facts.plan_payment_refunded(outcome="failed", failure_reason="lost_or_stolen_card"), "lost_or_stolen_card")
    must_say(
        facts.plan_dispute_opened(), "Answer in Stripe's Dashboard until Apr 2, 2026", "subscription_canceled", "dp_5"
    )
    must_say(facts.plan_dispute_closed(), "lost", "The subscription goes on until somebody ends it")


def test_money_of_a_plan_that_waits_says_how_much_and_which() -> None:
    must_say(facts.plan_money_back_parked(), "Nothing was recorded", "$7.00", "re_6", "in_5")


def test_a_subscription_that_stripe_does_not_know_says_which_and_that_it_gave_nothing() -> None:
    fact = facts.subscription_parked()

    rendered, _ = written(fact)

    assert rendered.subject == "Subscription needs a look: Northwind Traders, now on Free"
    must_say(fact, "gave Northwind Traders nothing", "Stripe does not know the subscription", "sub_9")


def test_more_money_for_an_ended_subscription_says_what_went_back_now_and_before() -> None:
    fact = facts.extra_subscription_ended(returned_cents=1900, returned_before_cents=900)

    rendered, _ = written(fact)

    assert rendered.subject == "Second Builder subscription of Northwind Traders ended, €10.00 sent back"
    must_say(fact, "More money came", "The €10.00 went back too", "€19.00", "Sent back before", "€9.00")


def test_a_failed_renewal_tells_the_owner_what_is_due_and_where_to_pay() -> None:
    fact = facts.renewal_failed(reason="insufficient_funds")

    rendered, (_, text, html) = written(fact)

    assert rendered.subject == "Payment failed: €9.00 for the Builder plan of Northwind Traders"
    must_say(
        fact,
        "We could not charge €9.00 for the Builder plan",
        "you keep the plan",
        "We try again on Mar 23, 2026, 11:45 AM UTC",
        fact.billing_page_url,
        "help@quittance.example",
    )
    for internal in ("insufficient_funds", "in_4", "sub_1"):
        assert internal not in text
        assert internal not in html


def test_the_last_failure_of_a_renewal_promises_no_further_attempt() -> None:
    must_say(facts.renewal_failed(next_attempt_at=None), "There will be no further attempt")
