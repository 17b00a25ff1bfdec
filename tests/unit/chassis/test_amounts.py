"""Money as people read it."""

import pytest

from chassis.amounts import money
from chassis.money import SUPPORTED_CURRENCIES, exponent

NBSP = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("cents", "currency", "locale", "text"),
    [
        (49900, "EUR", "en", "€499.00"),
        (49900, "eur", "en", "€499.00"),
        (49900, "EUR", "de", f"499,00{NBSP}€"),
        (123456789, "USD", "en", "$1,234,567.89"),
        (1, "USD", "en", "$0.01"),
        (49900, "JPY", "en", "¥49,900"),
        (500, "CLP", "en", f"CLP{NBSP}500"),
        (12500, "KWD", "en", f"KWD{NBSP}12.500"),
        (1230, "BHD", "de", f"1,230{NBSP}BHD"),
        (50000, "ISK", "en", f"ISK{NBSP}500"),
        (50000, "UGX", "en", f"UGX{NBSP}500"),
        (49900, "RSD", "en", f"RSD{NBSP}499"),
        (49950, "RSD", "en", f"RSD{NBSP}499.50"),
        (49900, "CHF", "en", f"CHF{NBSP}499.00"),
    ],
)
def test_an_amount_looks_as_its_currency_and_locale_want_it(cents: int, currency: str, locale: str, text: str) -> None:
    assert text == money(cents, currency=currency, locale=locale)


@pytest.mark.parametrize("currency", sorted(SUPPORTED_CURRENCIES))
def test_no_amount_is_ever_rounded(currency: str) -> None:
    """CLDR's decimals are fewer than Stripe's for some currencies: the digits must all be there."""
    digits = [char for char in money(1234567, currency=currency, locale="en") if char.isdigit()]

    assert "".join(digits) == "1234567"
    assert exponent(currency) in {0, 2, 3}
