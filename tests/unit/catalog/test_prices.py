"""A price is exactly one amount that Stripe would charge."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.prices import Price, PriceRefused, price_of
from chassis.money import SUPPORTED_CURRENCIES, major_text, maximum_charge, minimum_charge, step

currencies = st.sampled_from(sorted(SUPPORTED_CURRENCIES))


@settings(deadline=None)
@given(currencies, st.integers(min_value=0, max_value=10**9))
def test_major_and_minor_units_give_the_same_price(currency: str, steps: int) -> None:
    cents = min(maximum_charge(currency), minimum_charge(currency) + steps * step(currency))

    in_minor = price_of(major=None, cents=cents, currency=currency)

    assert in_minor == price_of(major=major_text(cents, currency), cents=None, currency=currency)
    assert (cents, currency) == in_minor


def priced(*, major: str | None, cents: int | None, currency: str) -> Price | PriceRefused:
    try:
        return price_of(major=major, cents=cents, currency=currency)
    except PriceRefused as refusal:
        return refusal


@settings(deadline=None)
@given(st.text(max_size=30), currencies)
def test_any_text_is_a_price_or_refused(text: str, currency: str) -> None:
    answer = priced(major=text, cents=None, currency=currency)

    if isinstance(answer, Price):
        assert answer.cents >= minimum_charge(currency)
    else:
        assert (answer.status, answer.extra["field"]) == (422, "price")


@settings(deadline=None)
@given(st.integers(), st.text(max_size=5) | currencies)
def test_any_number_in_any_currency_is_a_price_or_refused(cents: int, currency: str) -> None:
    answer = priced(major=None, cents=cents, currency=currency)

    assert isinstance(answer, Price) or answer.extra["field"] in {"price_cents", "currency"}


@pytest.mark.parametrize(("major", "cents"), [(None, None), ("499", 49900)])
def test_neither_or_both_is_ambiguous(major: str | None, cents: int | None) -> None:
    with pytest.raises(PriceRefused) as refused:
        price_of(major=major, cents=cents, currency="EUR")

    assert refused.value.slug == "price-ambiguous"
