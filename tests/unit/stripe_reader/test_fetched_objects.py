"""Objects that are only fetched: prices, pages, cards and previews, with what every version shows of them."""

from datetime import UTC, datetime
from typing import Any, Final

import pytest

from stripe_reader.charges import read_charged_at
from stripe_reader.checkout_sessions import read_hosted_page
from stripe_reader.customers import read_credit, read_default_cards, read_running_card, read_saved_card
from stripe_reader.invoices import read_invoice_status, read_preview
from stripe_reader.prices import read_is_active, read_price
from stripe_reader.stripe_json import UnknownShape

AT: Final = 1_772_620_203
TIME: Final = datetime(2026, 3, 4, 10, 30, 3, tzinfo=UTC)
PRICE: Final = {"id": "price_1", "product": "prod_1", "active": True, "currency": "eur", "unit_amount": 900}


def test_a_price_that_is_paid_once_has_no_interval() -> None:
    once = read_price({**PRICE, "recurring": None})
    monthly = read_price({**PRICE, "recurring": {"interval": "month", "interval_count": 1}})

    assert tuple(vars(once).values())[:5] == ("price_1", "prod_1", True, "EUR", 900)
    assert [(price.interval, price.interval_count) for price in (once, monthly)] == [(None, None), ("month", 1)]


def test_a_price_in_fractions_or_tiers_has_no_amount() -> None:
    assert read_price({**PRICE, "unit_amount": None}).unit_amount is None


def test_a_price_with_its_product_expanded_names_the_same_product() -> None:
    assert read_price({**PRICE, "product": {"id": "prod_1", "active": False}}).product_id == "prod_1"


def test_a_page_of_checkout_and_one_of_the_portal_are_read_alike() -> None:
    checkout = read_hosted_page({"id": "cs_1", "url": "https://pay", "success_url": "https://us", "expires_at": AT})
    portal = read_hosted_page({"id": "bps_1", "url": "https://portal", "return_url": "https://us"})

    assert tuple(vars(checkout).values()) == ("cs_1", "https://pay", "https://us", TIME)
    assert tuple(vars(portal).values()) == ("bps_1", "https://portal", "https://us", None)


def test_a_session_that_is_over_has_no_page() -> None:
    assert read_hosted_page({"id": "cs_1", "url": None}).url is None


@pytest.mark.parametrize(("status", "card"), [("past_due", "pm_1"), ("incomplete", None), ("canceled", None)])
def test_only_a_subscription_that_was_charged_says_a_card(status: str, card: str | None) -> None:
    assert read_running_card({"status": status, "default_payment_method": {"id": "pm_1"}}) == card


def test_a_customers_payment_method_and_its_old_source_are_read_apart() -> None:
    cards = read_default_cards({"invoice_settings": {"default_payment_method": "pm_1"}, "default_source": "card_1"})

    assert cards is not None
    assert (cards.payment_method_id, cards.source_id) == ("pm_1", "card_1")


def test_a_customer_that_was_deleted_has_no_cards() -> None:
    assert read_default_cards({"id": "cus_1", "deleted": True}) is None


def test_credit_is_what_a_transaction_took_off_the_balance() -> None:
    credit = read_credit({"id": "cbtxn_1", "amount": -900, "currency": "eur"})

    assert tuple(vars(credit).values()) == ("cbtxn_1", 900, "EUR")


@pytest.mark.parametrize("active", [True, False])
def test_a_product_is_sold_or_archived(active: bool) -> None:
    assert read_is_active({"id": "prod_1", "active": active}) is active


def test_a_charge_says_when_it_was_made() -> None:
    assert read_charged_at({"id": "ch_1", "created": AT}) == TIME
    with pytest.raises(UnknownShape, match="created"):
        read_charged_at({"id": "ch_1"})


def test_a_setup_intent_that_did_not_succeed_saved_nothing() -> None:
    card: Any = {"payment_method": {"id": "pm_1", "customer": "cus_1"}}
    saved = read_saved_card({"status": "succeeded", **card})

    assert saved is not None
    assert (saved.payment_method_id, saved.customer_id) == ("pm_1", "cus_1")
    assert read_saved_card({"status": "requires_payment_method", **card}) is None
    with pytest.raises(UnknownShape, match="status"):
        read_saved_card({"status": "a new word", **card})


@pytest.mark.parametrize("attempt", [{"next_payment_attempt": AT}, {"next_payment_attempt": None, "period_end": AT}])
def test_a_preview_without_an_attempt_is_charged_as_the_period_ends(attempt: dict[str, Any]) -> None:
    preview = read_preview({"amount_due": 900, "currency": "eur", **attempt})

    assert (preview.charged_at, preview.amount_due, preview.currency) == (TIME, 900, "EUR")


def test_an_invoice_that_only_says_paid_is_paid() -> None:
    statuses = [read_invoice_status(invoice) for invoice in ({"paid": True}, {"status": "open", "paid": False}, {})]

    assert statuses == ["paid", "open", None]
