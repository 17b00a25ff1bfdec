"""How coupons, discounts, tax rates, and what they make of an invoice's amounts look before and since basil."""

from collections.abc import Iterable
from decimal import Decimal

from sandbox.stripe.adjustments import Coupon, Discount, DiscountAmount, TaxAmount, TaxRate
from sandbox.stripe.thing import Json
from sandbox.stripe.versions import Era


def coupon(thing: Coupon, _: Era) -> Json:
    """Render https://docs.stripe.com/api/coupons/object"""
    return {
        "id": thing.id,
        "object": "coupon",
        "amount_off": thing.amount_off,
        "created": thing.created,
        "currency": thing.currency,
        "duration": thing.duration,
        "duration_in_months": thing.duration_in_months,
        "livemode": False,
        "max_redemptions": thing.max_redemptions,
        "metadata": dict(thing.metadata),
        "name": thing.name,
        "percent_off": None if thing.percent_off is None else number(thing.percent_off),
        "redeem_by": thing.redeem_by,
        "times_redeemed": thing.times_redeemed,
        "valid": thing.max_redemptions is None or thing.times_redeemed < thing.max_redemptions,
    }


def discount(thing: Discount, era: Era) -> Json:
    """Render https://docs.stripe.com/api/discounts/object; its coupon moved into `source`."""
    shared: Json = {
        "id": thing.id,
        "object": "discount",
        "checkout_session": None,
        "customer": thing.customer,
        "end": None,
        "invoice": thing.invoice,
        "invoice_item": None,
        "promotion_code": None,
        "start": thing.created,
        "subscription": None,
        "subscription_item": None,
    }
    if era is Era.LEGACY:
        return shared | {"coupon": coupon(thing.coupon, era)}
    return shared | {"customer_account": None, "source": {"coupon": thing.coupon.id, "type": "coupon"}}


def tax_rate(thing: TaxRate, _: Era) -> Json:
    """Render https://docs.stripe.com/api/tax_rates/object"""
    return {
        "id": thing.id,
        "object": "tax_rate",
        "active": thing.active,
        "country": thing.country,
        "created": thing.created,
        "description": thing.description,
        "display_name": thing.display_name,
        "effective_percentage": None,
        "flat_amount": None,
        "inclusive": thing.inclusive,
        "jurisdiction": thing.jurisdiction,
        "jurisdiction_level": None,
        "livemode": False,
        "metadata": dict(thing.metadata),
        "percentage": number(thing.percentage),
        "rate_type": "percentage",
        "state": thing.state,
        "tax_type": thing.tax_type,
    }


def discount_amounts(amounts: Iterable[DiscountAmount]) -> list[Json]:
    """Return `discount_amounts` of a line and `total_discount_amounts` of an invoice, in both eras."""
    return [{"amount": one.amount, "discount": one.discount} for one in amounts]


def pretax_credit_amounts(amounts: Iterable[DiscountAmount]) -> list[Json]:
    """Render the discounts once more, as since basil."""
    return [{"amount": one.amount, "discount": one.discount, "type": "discount"} for one in amounts]


def tax_amounts(amounts: Iterable[TaxAmount]) -> list[Json]:
    """Return `tax_amounts` of a line and `total_tax_amounts` of an invoice, before basil."""
    return [
        {
            "amount": one.amount,
            "inclusive": one.rate.inclusive,
            "tax_rate": one.rate.id,
            "taxability_reason": None,
            "taxable_amount": one.taxable,
        }
        for one in amounts
    ]


def taxes(amounts: Iterable[TaxAmount]) -> list[Json]:
    """Return `taxes` of a line and `total_taxes` of an invoice, since basil."""
    return [
        {
            "amount": one.amount,
            "tax_behavior": "inclusive" if one.rate.inclusive else "exclusive",
            "tax_rate_details": {"tax_rate": one.rate.id},
            "taxability_reason": "not_available",
            "taxable_amount": one.taxable,
            "type": "tax_rate_details",
        }
        for one in amounts
    ]


def number(value: Decimal) -> float:
    """Write a percentage as JSON has it."""
    return float(value)
