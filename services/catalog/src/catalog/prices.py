"""What an add-on may cost: major units xor minor units, in a currency that Stripe charges, within Stripe's limits."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from chassis.money import (
    AboveMaximum,
    BelowMinimum,
    InvalidAmount,
    TooManyDecimals,
    UnsupportedCurrency,
    minor_units,
    require_chargeable,
)
from chassis.problems import Problem


class Price(NamedTuple):
    """`cents` minor units of `currency`."""

    cents: int
    currency: str


class PriceRefused(Problem):
    """Nobody could be charged this price. The type says why, `field` where."""

    def __init__(self, slug: str, title: str, detail: str, *, field: str = "price") -> None:
        super().__init__(422, slug, title, detail, field=field)


REFUSALS: Final[Mapping[type[ValueError], tuple[str, str]]] = {
    UnsupportedCurrency: ("unsupported-currency", "The currency cannot be charged"),
    TooManyDecimals: ("too-many-decimals", "The price has too many decimals"),
    BelowMinimum: ("below-minimum", "The price is too low to be charged"),
    AboveMaximum: ("above-maximum", "The price is too high to be charged"),
    InvalidAmount: ("invalid-amount", "The price is no amount of money"),
}
"""Problem type and title of what money raises."""
AMBIGUOUS: Final = ("price-ambiguous", "Give exactly one price", "Send exactly one of price and price_cents.")
DETAILS: Final[Mapping[str, str]] = {
    "unsupported-currency": "not a currency that can be charged",
    "too-many-decimals": "EUR has 2 decimals",
    "below-minimum": "at least 0.50 EUR",
    "above-maximum": "at most 999999.99 EUR",
    "invalid-amount": "an amount is written like 499 or 499.00",
}
"""What each says in the API's description."""


def price_of(*, major: str | None, cents: int | None, currency: str) -> Price:
    """Return the price that was given as exactly one of `major` and `cents`. Raises PriceRefused."""
    if (major is None) == (cents is None):
        raise PriceRefused(*AMBIGUOUS)
    field = "price" if cents is None else "price_cents"
    try:
        amount = minor_units(major or "", currency) if cents is None else cents
        require_chargeable(amount, currency)
    except (UnsupportedCurrency, InvalidAmount) as error:
        at_fault = "currency" if isinstance(error, UnsupportedCurrency) else field
        raise PriceRefused(*REFUSALS[type(error)], str(error), field=at_fault) from error
    return Price(amount, currency)


def every_refusal() -> list[PriceRefused]:
    """Return one of each kind, for the API's description."""
    by_money = [PriceRefused(slug, title, DETAILS[slug]) for slug, title in REFUSALS.values()]
    return [PriceRefused(*AMBIGUOUS), *by_money]
