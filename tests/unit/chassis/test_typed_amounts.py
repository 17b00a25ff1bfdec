"""An amount is read as the visitor's language writes it, or with a point; what could be two amounts is refused."""

import pytest

from chassis.money import InvalidAmount, TooManyDecimals
from chassis.pages.typed_amounts import local_amount, plain_amount, typed_minor_units


@pytest.mark.parametrize(
    ("text", "currency", "locale", "cents"),
    [
        ("499", "EUR", "en", 49_900),
        ("499.00", "EUR", "en", 49_900),
        ("1,234.50", "EUR", "en", 123_450),
        ("1,234", "EUR", "en", 123_400),
        ("12,34,567.5", "INR", "en_IN", 123_456_750),
        ("499,00", "EUR", "de", 49_900),
        ("499.00", "EUR", "de", 49_900),
        ("499,5", "EUR", "de", 49_950),
        ("1.234,50", "EUR", "de", 123_450),
        ("1234,50", "EUR", "de", 123_450),
        ("1.234.567", "EUR", "de", 123_456_700),
        ("1'234.50", "CHF", "de_CH", 123_450),
        ("1’234.50", "CHF", "de_CH", 123_450),
        ("1 234,50", "EUR", "fr", 123_450),
        ("1\N{NO-BREAK SPACE}234,50", "EUR", "fr", 123_450),
        ("1 234,50", "SEK", "sv", 123_450),
        ("1500", "JPY", "de", 1_500),
        ("1,500", "JPY", "ja", 1_500),
        ("1,230", "KWD", "de", 1_230),
    ],
)
def test_an_amount_is_read_as_its_language_writes_it(text: str, currency: str, locale: str, cents: int) -> None:
    assert typed_minor_units(text, currency, locale=locale) == cents


@pytest.mark.parametrize(
    ("text", "locale", "said"),
    [
        ("1.234", "de", "this reads as 1234 or as 1.234: write 1234, or 1,234"),
        ("1.234.5", "de", "an amount is written like 499, 499.00 or 499,00"),
        ("1,234.50", "de", "an amount is written like 499, 499.00 or 499,00"),
        ("499,00", "en", "an amount is written like 499 or 499.00"),
        ("1.234,50", "en", "an amount is written like 499 or 499.00"),
        ("12,34", "en", "an amount is written like 499 or 499.00"),
        ("1 234", "en", "an amount is written like 499 or 499.00"),
    ],
)
def test_what_has_no_reading_or_two_is_refused_with_how_to_write_it(text: str, locale: str, said: str) -> None:
    with pytest.raises(InvalidAmount, match=f"^{said}$"):
        plain_amount(text, locale=locale)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "1e5",
        "+1",
        "-1",
        "1_000",
        "NaN",
        "Infinity",
        "٤٩٩",
        "\uff14\uff19\uff19",
        "499,",
        ".5",
        "007",
        "1" * 31,
        "499 €",
    ],
)
@pytest.mark.parametrize("locale", ["en", "de", "fr", "ar_EG"])
def test_digits_and_separators_are_all_that_an_amount_has(text: str, locale: str) -> None:
    with pytest.raises(InvalidAmount):
        plain_amount(text, locale=locale)


def test_too_many_decimals_are_refused_with_how_it_was_read() -> None:
    with pytest.raises(
        TooManyDecimals, match=r"^EUR has 2 decimals, and this reads as 1\.234: write 1234 for thousands$"
    ):
        typed_minor_units("1,234", "EUR", locale="de")
    with pytest.raises(TooManyDecimals, match=r"^JPY has no decimals, and this reads as 1\.5$"):
        typed_minor_units("1,5", "JPY", locale="de")


@pytest.mark.parametrize("locale", ["en", "de", "fr", "de_CH", "es", "ar_EG", "fa", "sv", "ja", "hi", "pt", "pl"])
@pytest.mark.parametrize("plain", ["499.00", "1234.50", "1234567.89", "1.230", "1500"])
def test_what_a_field_shows_is_read_as_what_it_was_made_of(plain: str, locale: str) -> None:
    assert plain_amount(local_amount(plain, locale=locale), locale=locale) == plain
