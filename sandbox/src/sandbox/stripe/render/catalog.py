"""How products and prices look."""

from sandbox.stripe.model import Json, Price, Product
from sandbox.stripe.versions import Era


def product(thing: Product, _: Era) -> Json:
    """Render https://docs.stripe.com/api/products/object"""
    return {
        "id": thing.id,
        "object": "product",
        "active": thing.active,
        "created": thing.created,
        "default_price": thing.default_price,
        "description": thing.description,
        "images": [],
        "livemode": False,
        "marketing_features": [],
        "metadata": dict(thing.metadata),
        "name": thing.name,
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": thing.statement_descriptor,
        "tax_code": None,
        "unit_label": thing.unit_label,
        "updated": thing.updated,
        "url": thing.url,
    }


def price(thing: Price, _: Era) -> Json:
    """Render https://docs.stripe.com/api/prices/object"""
    return {
        "id": thing.id,
        "object": "price",
        "active": thing.active,
        "billing_scheme": "per_unit",
        "created": thing.created,
        "currency": thing.currency,
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": thing.lookup_key,
        "metadata": dict(thing.metadata),
        "nickname": thing.nickname,
        "product": thing.product,
        "recurring": thing.recurring,
        "tax_behavior": thing.tax_behavior,
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring" if thing.recurring else "one_time",
        "unit_amount": thing.unit_amount,
        "unit_amount_decimal": str(thing.unit_amount),
    }


def plan(thing: Price) -> Json | None:
    """Return the older name of a recurring price (https://docs.stripe.com/api/plans/object)."""
    if thing.recurring is None:
        return None
    return {
        "id": thing.id,
        "object": "plan",
        "active": thing.active,
        "aggregate_usage": None,
        "amount": thing.unit_amount,
        "amount_decimal": str(thing.unit_amount),
        "billing_scheme": "per_unit",
        "created": thing.created,
        "currency": thing.currency,
        "interval": thing.recurring["interval"],
        "interval_count": thing.recurring["interval_count"],
        "livemode": False,
        "metadata": dict(thing.metadata),
        "meter": None,
        "nickname": thing.nickname,
        "product": thing.product,
        "tiers_mode": None,
        "transform_usage": None,
        "trial_period_days": None,
        "usage_type": thing.recurring["usage_type"],
    }
