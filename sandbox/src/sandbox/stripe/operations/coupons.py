"""Coupons (https://docs.stripe.com/api/coupons) and the discounts that are made from them."""

from dataclasses import replace
from decimal import Decimal, InvalidOperation

from sandbox.stripe.adjustments import Coupon, Discount
from sandbox.stripe.call import Call
from sandbox.stripe.ids import new_id, new_token
from sandbox.stripe.listing import page
from sandbox.stripe.money import currency_of
from sandbox.stripe.params import Params
from sandbox.stripe.refusals import Refusal, parameter_invalid, parameter_missing
from sandbox.stripe.thing import Json

DURATIONS = ("forever", "once", "repeating")


def create(call: Call) -> Coupon:
    """Create a coupon of `percent_off`, or `amount_off` with its `currency`; under the caller's id if one is given."""
    params = call.params
    named = params.text("id")
    if named and call.account.coupons.find(named):
        raise Refusal("Coupon already exists.", code="resource_already_exists", param="id")
    amount = params.integer("amount_off")
    percent = percentage(params, "percent_off")
    if (amount is None) == (percent is None):
        raise Refusal("Must provide either percent_off or amount_off.", code="parameter_missing", param="percent_off")
    coupon = Coupon(
        id=named or new_token(length=8).upper(),
        created=call.now,
        metadata=params.metadata(),
        percent_off=percent,
        amount_off=amount,
        currency=None if amount is None else currency_of(params.required("currency")),
        duration=params.choice("duration", among=DURATIONS) or "once",
        duration_in_months=params.integer("duration_in_months"),
        name=params.text("name"),
        max_redemptions=params.integer("max_redemptions"),
        redeem_by=params.integer("redeem_by"),
    )
    call.save(coupon)
    call.emit("coupon.created", coupon)
    return coupon


def retrieve(call: Call) -> Coupon:
    return call.account.coupons.get(call.id)


def update(call: Call) -> Coupon:
    """Metadata and name; what it takes off never changes."""
    before, params = retrieve(call), call.params
    name = params.unset_or_text("name", current=before.name)
    coupon = call.save(replace(before, name=name, metadata=params.metadata(current=before.metadata)))
    call.emit("coupon.updated", coupon, before=before)
    return coupon


def delete(call: Call) -> Json:
    """Discounts made from it stay."""
    coupon = retrieve(call)
    call.account.coupons.remove(coupon)
    call.emit("coupon.deleted", coupon)
    return {"id": coupon.id, "object": "coupon", "deleted": True}


def list_(call: Call) -> Json:
    return page(call=call, things=call.account.coupons.newest_first(), url="/v1/coupons")


def redeem(*, call: Call, named: str, customer: str, invoice: str | None = None) -> Discount:
    """Give a discount to the customer, or to one invoice of his. Raises a complaint about a coupon that is used up."""
    coupon = call.account.coupons.get(named, param="coupon")
    if not coupon.is_valid(now=call.now):
        raise Refusal(f"Coupon expired: {coupon.id}", code="coupon_expired", param="coupon")
    used = call.save(replace(coupon, times_redeemed=coupon.times_redeemed + 1))
    made = Discount(id=new_id(prefix="di"), created=call.now, coupon=used, customer=customer, invoice=invoice)
    return call.save(made)


def percentage(params: Params, name: str) -> Decimal | None:
    """Read a number between 0 and 100."""
    text = params.text(name)
    if text is None:
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise parameter_invalid(f"Invalid decimal: {text}", param=name) from None
    if not 0 < value <= 100:
        raise parameter_invalid("This value must be between 0 and 100.", param=name)
    return value


def required_percentage(params: Params, name: str) -> Decimal:
    """Read a percentage that must be there."""
    value = percentage(params, name)
    if value is None:
        raise parameter_missing(param=name)
    return value
