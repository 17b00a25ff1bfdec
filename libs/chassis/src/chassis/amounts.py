"""Money as people read it: minor units by Stripe's exponents, the look by the locale (CLDR, through Babel)."""

import copy
import re
from decimal import Decimal
from functools import lru_cache
from typing import Final

from babel import Locale
from babel.numbers import NumberPattern, get_currency_precision

from chassis.money import exponent

LETTER_BESIDE_DIGIT: Final = re.compile(r"(?<=[^\W\d_])(?=\d)")
NO_BREAK_SPACE: Final = "\N{NO-BREAK SPACE}"


@lru_cache(maxsize=4096)
def money(cents: int, *, currency: str, locale: str) -> str:
    """Return `cents` minor units of `currency`, e.g. `€499.00` in `en` and `499,00 €` in `de`. Never rounds."""
    code = currency.upper()
    digits = exponent(code)
    amount = Decimal(cents).scaleb(-digits)
    pattern = _pattern(locale, _shown_digits(amount, code=code, digits=digits))
    text = pattern.apply(amount, Locale.parse(locale), currency=code, currency_digits=False)
    return LETTER_BESIDE_DIGIT.sub(NO_BREAK_SPACE, text)


def _shown_digits(amount: Decimal, *, code: str, digits: int) -> int:
    """CLDR writes some of Stripe's two-decimal currencies (ISK, RSD) without decimals: so do we when they are zeros."""
    fewer = min(digits, get_currency_precision(code))
    return fewer if amount == amount.quantize(Decimal(1).scaleb(-fewer)) else digits


@lru_cache
def _pattern(locale: str, digits: int) -> NumberPattern:
    """Return the locale's currency pattern with exactly `digits` decimals."""
    pattern: NumberPattern = copy.copy(Locale.parse(locale).currency_formats["standard"])
    pattern.frac_prec = (digits, digits)
    return pattern
