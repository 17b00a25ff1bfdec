"""Where a subscription's period, price and card are found, and what the fact says when its items differ."""

from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.stripe_facts import SubscriptionChanged
from tests.fixtures.expected_facts import model_of
from tests.fixtures.stripe_events import BASIL, LEGACY, body_of, event
from webhook_gateway.stripe_events.normalisers import normalise

ERAS = [LEGACY, BASIL]
END = datetime(2027, 3, 4, 11, 21, 30, tzinfo=UTC)
LATER = 1_835_781_690


def subscription_fact(era: str, **changes: Any) -> SubscriptionChanged:
    document = event("customer.subscription.updated", era)
    document["data"]["object"].update(changes)
    fact = model_of(normalise(event=document, body=body_of(document), received_at=1_772_620_204.5))
    assert isinstance(fact, SubscriptionChanged), fact
    return fact


def items(era: str, *changes: dict[str, Any]) -> dict[str, Any]:
    """Return a list object of one item per change."""
    thing = event("customer.subscription.updated", era)["data"]["object"]
    item = thing["items"]["data"][0]
    return {**thing["items"], "data": [{**item, **change} for change in changes]}


def test_items_of_different_periods_leave_the_subscriptions_own_open() -> None:
    """Which item is the plan is for the ledger to say."""
    fact = subscription_fact(BASIL, items=items(BASIL, {}, {"id": "si_2", "current_period_end": LATER}))

    assert fact.current_period_end is None
    assert [END, datetime.fromtimestamp(LATER, UTC)] == [item.current_period_end for item in fact.items]


def test_an_old_subscription_that_shows_both_places_is_read_from_its_items() -> None:
    assert subscription_fact(BASIL, current_period_end=LATER).current_period_end == END


@pytest.mark.parametrize("era", ERAS)
def test_a_subscription_without_items_still_tells_its_status(era: str) -> None:
    fact = subscription_fact(era, items=None, status="canceled", currency=None)

    period_end = END if era == LEGACY else None
    assert (fact.status, fact.items, fact.current_period_end, fact.currency) == ("canceled", (), period_end, None)


def test_a_price_may_be_no_more_than_its_id() -> None:
    fact = subscription_fact(BASIL, items=items(BASIL, {"price": "price_1", "plan": None}))

    read = [(item.price_id, item.interval, item.currency) for item in fact.items]
    assert read == [("price_1", None, None)]


def test_items_from_before_there_were_prices_are_read_from_their_plan() -> None:
    fact = subscription_fact(LEGACY, items=items(LEGACY, {"price": None}))

    read = [(item.price_id, item.interval, item.currency) for item in fact.items]
    assert read == [("price_1SVq0yLkdIwHu7ixBuilderYr", "year", "EUR")]


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, "pm_1SVq2hLkdIwHu7ixV3cN8wJm"),
        ({"default_payment_method": None}, None),
        ({"default_payment_method": None, "default_source": "card_1"}, "card_1"),
        ({"default_payment_method": {"id": "pm_9", "object": "payment_method"}}, "pm_9"),
    ],
)
def test_the_card_that_it_is_charged_to(era: str, change: dict[str, Any], expected: str | None) -> None:
    assert expected == subscription_fact(era, **change).default_payment_method_id
