"""Prices: what Stripe charges for a product, once or per interval; never changed once made."""

from stripe_reader.stripe_json import Json, currency_of, flag, optional_integer, part, required_id, text
from stripe_reader.value import Value


class Price(Value):
    """A price; `unit_amount` in minor units of `currency`, None where it is a fraction or in tiers."""

    price_id: str
    product_id: str
    active: bool
    currency: str
    unit_amount: int | None
    interval: str | None
    """None of one that is paid once."""
    interval_count: int | None


def read_price(price: Json) -> Price:
    """Return what a price says. Raises UnknownShape. Source: https://docs.stripe.com/api/prices/object."""
    recurring = part(price, "recurring")
    return Price(
        price_id=required_id(price, "id"),
        product_id=required_id(price, "product"),
        active=flag(price, "active"),
        currency=currency_of(price),
        unit_amount=optional_integer(price, "unit_amount"),
        interval=text(recurring, "interval"),
        interval_count=optional_integer(recurring, "interval_count"),
    )


def read_is_active(product: Json) -> bool:
    """Return whether a product is sold, and not archived. Raises UnknownShape.

    Source: https://docs.stripe.com/api/products/object.
    """
    return flag(product, "active")
