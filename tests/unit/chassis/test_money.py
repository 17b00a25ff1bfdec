"""Money: what people type becomes the integer that Stripe expects, or is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.money import (
    MAX_MINOR_UNITS,
    MINIMUM_CHARGES,
    SUPPORTED_CURRENCIES,
    AboveMaximum,
    BelowMinimum,
    InvalidAmount,
    TooManyDecimals,
    UnsupportedCurrency,
    exponent,
    major_text,
    maximum_charge,
    minimum_charge,
    minor_units,
    require_chargeable,
    step,
)


@pytest.mark.parametrize(
    ("major", "currency", "expected"),
    [
        ("499", "EUR", 49900),
        ("499.00", "EUR", 49900),
        ("499.9", "EUR", 49990),
        ("0.50", "USD", 50),
        ("0", "USD", 0),
        ("499", "JPY", 499),
        ("1.230", "KWD", 1230),
        ("1.23", "KWD", 1230),
        ("499", "ISK", 49900),
        ("499.00", "ISK", 49900),
        ("499", "UGX", 49900),
        ("9999999999.99", "IDR", MAX_MINOR_UNITS),
        ("499", "eur", 49900),
    ],
)
def test_major_units_become_the_integer_that_stripe_expects(major: str, currency: str, expected: int) -> None:
    assert expected == minor_units(major, currency)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        " 5",
        "5 ",
        "-1",
        "+1",
        "1e3",
        "NaN",
        "inf",
        "١",
        "５",
        "1,00",
        "1_000",
        "0x10",
        ".5",
        "5.",
        "1.2.3",
        "007",
        "00",
        "€5",
        "5\n",
        "5\x00",
        "−5",
        "½",
        "9" * 13,
        "9" * 100000,
        "1." + "0" * 100000,
    ],
)
def test_what_is_no_plain_decimal_is_refused(text: str) -> None:
    with pytest.raises(InvalidAmount):
        minor_units(text, "EUR")


@pytest.mark.parametrize(
    ("major", "currency"),
    [
        ("1.000", "EUR"),
        ("1.001", "USD"),
        ("1.0", "JPY"),
        ("499.00", "KRW"),
        ("1.234", "KWD"),
        ("1.0000", "BHD"),
        ("499.50", "ISK"),
        ("0.01", "UGX"),
    ],
)
def test_more_decimals_than_the_currency_has_are_refused(major: str, currency: str) -> None:
    with pytest.raises(TooManyDecimals):
        minor_units(major, currency)


def test_more_digits_than_stripe_takes_are_refused() -> None:
    with pytest.raises(InvalidAmount):
        minor_units("10000000000.00", "EUR")


@pytest.mark.parametrize("currency", ["", "XXX", "XAU", "BTC", "EURO", "E", "ſek", "HRK", "EUR\n"])
def test_a_currency_that_stripe_does_not_charge_is_refused(currency: str) -> None:
    with pytest.raises(UnsupportedCurrency):
        minor_units("5", currency)


@pytest.mark.parametrize("currency", sorted(SUPPORTED_CURRENCIES))
def test_every_currency_has_whole_units_and_a_minimum_that_can_be_charged(currency: str) -> None:
    assert 5 * 10 ** exponent(currency) == minor_units("5", currency)
    require_chargeable(minimum_charge(currency), currency)
    require_chargeable(maximum_charge(currency), currency)


@given(st.sampled_from(sorted(SUPPORTED_CURRENCIES)), st.integers(0, MAX_MINOR_UNITS // 100))
def test_text_and_integer_are_inverse(currency: str, steps: int) -> None:
    amount = steps * step(currency)

    assert amount == minor_units(major_text(amount, currency), currency)


@given(st.text(max_size=20), st.sampled_from(["EUR", "JPY", "KWD", "ISK"]))
def test_any_text_is_an_amount_or_refused(text: str, currency: str) -> None:
    try:
        amount = minor_units(text, currency)
    except InvalidAmount:
        return
    assert 0 <= amount <= MAX_MINOR_UNITS
    assert amount % step(currency) == 0


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        (49900, "EUR", "499.00"),
        (5, "EUR", "0.05"),
        (499, "JPY", "499"),
        (50_000, "ISK", "500"),
        (-50_000, "UGX", "-500"),
        (50_050, "ISK", "500.50"),
        (1230, "KWD", "1.230"),
        (-50, "USD", "-0.50"),
        (0, "EUR", "0.00"),
        (0, "JPY", "0"),
    ],
)
def test_an_integer_is_written_in_major_units(amount: int, currency: str, expected: str) -> None:
    assert expected == major_text(amount, currency)


@pytest.mark.parametrize(
    ("amount", "currency", "error"),
    [
        (49, "EUR", BelowMinimum),
        (17499, "HUF", BelowMinimum),
        (0, "BDT", BelowMinimum),
        (-100, "EUR", InvalidAmount),
        (1235, "KWD", TooManyDecimals),
        (49950, "ISK", TooManyDecimals),
        (MAX_MINOR_UNITS + 1, "EUR", InvalidAmount),
        (100_000_000, "EUR", AboveMaximum),
        (100_000_000, "JPY", AboveMaximum),
        (100_000_000, "ISK", AboveMaximum),
        (MAX_MINOR_UNITS + 1, "IDR", InvalidAmount),
    ],
)
def test_what_stripe_would_not_charge_is_refused(amount: int, currency: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        require_chargeable(amount, currency)


def test_the_documented_minimums_are_those_of_currencies_that_can_be_charged() -> None:
    assert set() == set(MINIMUM_CHARGES) - SUPPORTED_CURRENCIES
    assert minimum_charge("GBP") == 30
