"""Money as Stripe counts it: integers of minor units beside a currency. Stripe's exponents are not ISO 4217's.

Source: docs.stripe.com/currencies (presentment currencies, zero-decimal, special cases, minimum charge amounts).
"""

import re
from collections.abc import Mapping
from typing import Final


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


MAX_MINOR_UNITS: Final = 999_999_999_999
"""Twelve digits, the most that Stripe takes in any currency; most cards and currencies end far below."""

ZERO_DECIMAL: Final = _codes("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF")
THREE_DECIMAL: Final = _codes("BHD JOD KWD OMR TND")
"""Three decimals on the wire, the last one always 0."""
WHOLE_UNITS: Final = _codes("ISK UGX")
"""Without decimals, but two-decimal on the wire for compatibility: always ending in 00."""

_TWO_DECIMAL: Final = _codes(
    """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BWP BYN BZD CAD CDF CHF CNY COP CRC CVE
    CZK DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR JMD KES KGS KHR KYD
    KZT LAK LBP LKR LRD LSL MAD MDL MKD MMK MNT MOP MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK
    PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SEK SGD SHP SLE SOS SRD STD SZL THB TJS TOP TRY TTD TWD TZS UAH USD
    UYU UZS WST XCD XCG YER ZAR ZMW
    """
)
SUPPORTED_CURRENCIES: Final = ZERO_DECIMAL | THREE_DECIMAL | WHOLE_UNITS | _TWO_DECIMAL
"""Presentment currencies, upper case. Which of them an account may use also depends on its country: Stripe says."""

# fmt: off
MINIMUM_CHARGES: Final[Mapping[str, int]] = {
    "AED": 200, "ARS": 50, "AUD": 50, "BRL": 50, "CAD": 50, "CHF": 50, "COP": 50, "CZK": 1500, "DKK": 250, "EUR": 50,
    "GBP": 30, "HKD": 400, "HUF": 17500, "IDR": 50, "ILS": 50, "INR": 50, "JPY": 50, "KRW": 50, "MXN": 1000, "MYR": 200,
    "NOK": 300, "NZD": 50, "PHP": 50, "PLN": 200, "RON": 200, "RUB": 50, "SEK": 300, "SGD": 50, "THB": 1000, "USD": 50,
    "ZAR": 50,
}
# fmt: on
"""Minor units. Stripe documents these; elsewhere the settlement currency's minimum counts, which we cannot know."""

MAXIMUM_CHARGE: Final = 99_999_999
"""Eight digits, in every currency but those of the table: 999,999.99 USD, and no more than 99,999,999 JPY."""
MAXIMUM_CHARGES: Final[Mapping[str, int]] = {"IDR": 999_999_999_999}
"""Minor units. Source: docs.stripe.com/currencies#minimum-and-maximum-charge-amounts, as of November 2026: twelve
digits for IDR, eight for all other currencies. Cards and banks may stop earlier, which Stripe says when it charges."""

_MAJOR: Final = re.compile(r"(?P<whole>0|[1-9][0-9]{0,11})(?:\.(?P<fraction>[0-9]{1,9}))?", re.ASCII)


class InvalidAmount(ValueError):  # noqa: N818 - named for what it says
    """No amount of money, or none that can be charged."""


class TooManyDecimals(InvalidAmount):
    """The currency has no such fraction."""


class BelowMinimum(InvalidAmount):
    """Stripe marks an invoice below the currency's minimum as paid without any payment."""


class AboveMaximum(InvalidAmount):
    """Stripe refuses a charge above the currency's maximum, whoever pays."""


class UnsupportedCurrency(ValueError):  # noqa: N818
    """Not a currency that Stripe charges."""


def exponent(currency: str) -> int:
    """Decimals on the wire: 499 major units are `499 * 10 ** exponent`. Raises UnsupportedCurrency."""
    code = _code(currency)
    if code in ZERO_DECIMAL:
        return 0
    return 3 if code in THREE_DECIMAL else 2


def step(currency: str) -> int:
    """Amounts on the wire are multiples of this. Raises UnsupportedCurrency."""
    code = _code(currency)
    if code in WHOLE_UNITS:
        return 100
    return 10 if code in THREE_DECIMAL else 1


def minor_units(major: str, currency: str) -> int:
    """`("499.00", "EUR")` → 49900. Digits and one point only: no sign, blank, exponent or other script's digits.

    Raises TooManyDecimals, InvalidAmount or UnsupportedCurrency.
    """
    decimals = exponent(currency)
    match = _MAJOR.fullmatch(major)
    if match is None:
        raise InvalidAmount("an amount is written like 499 or 499.00")
    fraction = match["fraction"] or ""
    if len(fraction) > decimals:
        shown = 0 if _code(currency) in WHOLE_UNITS else decimals
        raise TooManyDecimals(f"{_code(currency)} has {shown or 'no'} decimals")
    amount = int(match["whole"] + fraction.ljust(decimals, "0"))
    _require_in_range(amount, currency)
    return amount


def major_text(amount: int, currency: str) -> str:
    """`(49900, "EUR")` → `"499.00"`; the inverse of `minor_units`. Raises UnsupportedCurrency.

    As people write it: `(50000, "ISK")` → `"500"`, since nobody pays a part of a króna.
    """
    decimals = exponent(currency)
    if _code(currency) in WHOLE_UNITS and amount % step(currency) == 0:
        amount, decimals = amount // step(currency), 0
    sign, digits = ("-" if amount < 0 else ""), str(abs(amount)).rjust(decimals + 1, "0")
    return f"{sign}{digits[:-decimals]}.{digits[-decimals:]}" if decimals else f"{sign}{digits}"


def minimum_charge(currency: str) -> int:
    """Return the least that Stripe charges, in minor units; where none is documented, the least there is."""
    return MINIMUM_CHARGES.get(_code(currency), step(currency))


def maximum_charge(currency: str) -> int:
    """Return the largest amount that Stripe charges, in minor units."""
    most = MAXIMUM_CHARGES.get(_code(currency), MAXIMUM_CHARGE)
    return most - most % step(currency)


def require_chargeable(amount: int, currency: str) -> None:
    """Raise unless Stripe would charge it.

    TooManyDecimals, BelowMinimum, AboveMaximum, another InvalidAmount, or UnsupportedCurrency.
    """
    _require_in_range(amount, currency)
    if amount < minimum_charge(currency):
        raise BelowMinimum(f"at least {major_text(minimum_charge(currency), currency)} {_code(currency)}")
    if amount > maximum_charge(currency):
        raise AboveMaximum(f"at most {major_text(maximum_charge(currency), currency)} {_code(currency)}")


def _require_in_range(amount: int, currency: str) -> None:
    if not 0 <= amount <= MAX_MINOR_UNITS:
        raise InvalidAmount(f"an amount has at most {len(str(MAX_MINOR_UNITS))} digits")
    if amount % step(currency):
        raise TooManyDecimals(f"{_code(currency)} is charged in steps of {major_text(step(currency), currency)}")


def _code(currency: str) -> str:
    code = currency.upper() if currency.isascii() else ""  # ſek in upper case is SEK
    if code not in SUPPORTED_CURRENCIES:
        raise UnsupportedCurrency("not a currency that can be charged")
    return code
