"""The items of a subscription (https://docs.stripe.com/api/subscription_items): as sent, and as listed."""

from dataclasses import replace

from sandbox.stripe.call import Call
from sandbox.stripe.ids import new_id
from sandbox.stripe.listing import page
from sandbox.stripe.model import Price
from sandbox.stripe.operations.inline_prices import price_made
from sandbox.stripe.params import Params
from sandbox.stripe.refusals import Refusal, missing, parameter_missing
from sandbox.stripe.subscriptions.calendar import same_rhythm
from sandbox.stripe.subscriptions.model import Subscription, SubscriptionItem
from sandbox.stripe.thing import Json

MOST = 20
ACCEPTED = ("id", "price", "price_data", "quantity", "metadata", "deleted")


def list_(call: Call) -> Json:
    """List those of one subscription."""
    subscription = call.account.subscriptions.get(call.params.required("subscription"), param="subscription")
    return page(call=call, things=reversed(subscription.items), url="/v1/subscription_items")


def sent(*, call: Call, subscription: str, start: int, end: int) -> tuple[SubscriptionItem, ...]:
    """Read the items of a new subscription; all of one currency and one rhythm."""
    given = [
        SubscriptionItem(
            id=new_id(prefix="si"),
            created=call.now,
            metadata=one.metadata(),
            subscription=subscription,
            price=_price(call=call, item=one),
            quantity=_quantity(one),
            period_start=start,
            period_end=end,
        )
        for one in _each(call)
    ]
    if not given:
        raise parameter_missing(param="items")
    return checked(tuple(given))


def changed(*, call: Call, subscription: Subscription) -> tuple[SubscriptionItem, ...]:
    """Return the items after an update: those named by `id` changed or deleted, others added."""
    items = {one.id: one for one in subscription.items}
    for one in _each(call):
        named = one.text("id")
        if named and named not in items:
            raise missing(kind="subscription_item", id=named, param=one.name_of("id"))
        if named and one.boolean("deleted"):
            del items[named]
            continue
        known = items.get(named or "")
        price = _price(call=call, item=one) if known is None or one.has("price") or one.has("price_data") else None
        fresh = known or SubscriptionItem(
            id=new_id(prefix="si"),
            created=call.now,
            subscription=subscription.id,
            price=_price(call=call, item=one),
            period_start=subscription.period_start,
            period_end=subscription.period_end,
        )
        items[fresh.id] = replace(
            fresh,
            price=price or fresh.price,
            quantity=_quantity(one, current=fresh.quantity),
            metadata=one.metadata(current=fresh.metadata),
        )
    return checked(tuple(items.values()))


def recurring(price: Price, *, param: str) -> Price:
    """Return the price, which has to be active and paid again and again."""
    if price.recurring is None:
        message = (
            "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`."
        )
        raise Refusal(message, param=param)
    return price


def checked(items: tuple[SubscriptionItem, ...]) -> tuple[SubscriptionItem, ...]:
    """Raise Stripe's complaints about too many items, two currencies, or two rhythms."""
    if len(items) > MOST:
        raise Refusal(f"A subscription can have at most {MOST} items.", param="items")
    first = items[0].price
    if any(one.price.currency != first.currency for one in items):
        raise Refusal("All prices on a subscription must have the same currency.", param="items")
    if any(not same_rhythm(one.price, first) for one in items):
        message = (
            "Currently, all prices on a subscription must have the same `recurring.interval` and "
            "`recurring.interval_count`."
        )
        raise Refusal(message, param="items")
    return items


def _each(call: Call) -> list[Params]:
    given = call.params.nested("items")
    found = [given.nested(position) for position in given.form]
    for one in found:
        one.refuse_unknown(ACCEPTED)
    return found


def _price(*, call: Call, item: Params) -> Price:
    if item.has("price_data"):
        return recurring(price_made(call=call, data=item.nested("price_data")), param=item.name_of("price_data"))
    price = call.account.prices.get(item.required("price"), param=item.name_of("price"))
    if not price.active:
        message = "The price specified is inactive. This field only accepts active prices."
        raise Refusal(message, param=item.name_of("price"))
    return recurring(price, param=item.name_of("price"))


def _quantity(item: Params, *, current: int = 1) -> int:
    quantity = item.integer("quantity")
    return current if quantity is None else quantity
