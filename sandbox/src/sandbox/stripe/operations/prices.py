"""Prices (https://docs.stripe.com/api/prices): their amount and currency never change."""

from dataclasses import replace
from typing import Any

from sandbox.stripe.call import Call
from sandbox.stripe.ids import new_id
from sandbox.stripe.listing import page
from sandbox.stripe.model import Json, Price, Product
from sandbox.stripe.money import check_amount, currency_of
from sandbox.stripe.params import Params
from sandbox.stripe.refusals import Refusal, parameter_missing

INTERVALS = ("day", "week", "month", "year")


def create(call: Call) -> Price:
    """Make a price for `product`, or for a new one from `product_data`."""
    params = call.params
    amount = params.integer("unit_amount")
    if amount is None:
        raise parameter_missing(param="unit_amount")
    currency = currency_of(params.required("currency"))
    check_amount(amount, currency=currency, param="unit_amount")
    price = Price(
        id=new_id(prefix="price"),
        created=call.now,
        product=_product_of(call).id,
        currency=currency,
        unit_amount=amount,
        recurring=recurring_of(params),
        tax_behavior=params.text("tax_behavior") or "unspecified",
    )
    price = call.save(_changed(call=call, price=price))
    call.emit("price.created", price)
    return price


def retrieve(call: Call) -> Price:
    return call.account.prices.get(call.id, param="price")


def update(call: Call) -> Price:
    before = retrieve(call)
    price = call.save(_changed(call=call, price=before))
    call.emit("price.updated", price, before=before)
    return price


def list_(call: Call) -> Json:
    """List by product, lookup keys, currency, type and `active`."""
    params = call.params
    keys, active = params.texts("lookup_keys"), params.boolean("active")
    product, currency = params.text("product"), params.text("currency")
    held = call.account.prices
    things: Any = held.where("product", product) if product else held.newest_first()
    things = (one for one in things if not keys or one.lookup_key in keys)
    things = (one for one in things if active in (None, one.active) and currency in (None, one.currency))
    type_ = params.choice("type", among=("one_time", "recurring"))
    kept = (one for one in things if type_ is None or (type_ == "recurring") == bool(one.recurring))
    return page(call=call, things=kept, url="/v1/prices")


def _product_of(call: Call) -> Product:
    named = call.params.text("product")
    if named:
        return call.account.products.get(named, param="product")
    data = call.params.nested("product_data")
    name = data.required("name")
    made = Product(id=new_id(prefix="prod"), created=call.now, name=name, updated=call.now, metadata=data.metadata())
    call.save(made)
    call.emit("product.created", made)
    return made


def recurring_of(params: Params) -> Json | None:
    """Return the rhythm that `recurring` asks for; null for a price that is paid once."""
    if not params.has("recurring"):
        return None
    sent = params.nested("recurring")
    sent.required("interval")
    return {
        "interval": sent.choice("interval", among=INTERVALS),
        "interval_count": sent.integer("interval_count") or 1,
        "meter": None,
        "usage_type": "licensed",
    }


def _changed(*, call: Call, price: Price) -> Price:
    active = call.params.boolean("active")
    key = call.params.unset_or_text("lookup_key", current=price.lookup_key)
    if key and key != price.lookup_key:
        _free_lookup_key(call=call, key=key)
    return replace(
        price,
        active=price.active if active is None else active,
        nickname=call.params.unset_or_text("nickname", current=price.nickname),
        lookup_key=key,
        metadata=call.params.metadata(current=price.metadata),
    )


def _free_lookup_key(*, call: Call, key: str) -> None:
    """Free the lookup key, which names one price, if `transfer_lookup_key` takes it from the one that has it."""
    holder = next((one for one in call.account.prices.newest_first() if one.lookup_key == key), None)
    if holder is None:
        return
    if not call.params.boolean("transfer_lookup_key"):
        message = f"A price (`{holder.id}`) already uses that lookup key."
        raise Refusal(message, param="lookup_key")
    call.save(replace(holder, lookup_key=None))
