"""`line_items` of a Checkout session: known prices, or prices made for it, of one currency."""

from collections import Counter
from collections.abc import Sequence

from sandbox.stripe.call import Call
from sandbox.stripe.checkout.model import LineItem
from sandbox.stripe.ids import new_id
from sandbox.stripe.model import Price
from sandbox.stripe.operations.inline_prices import price_made
from sandbox.stripe.params import Params
from sandbox.stripe.refusals import Refusal, parameter_missing
from sandbox.stripe.subscriptions.calendar import same_rhythm

MOST = 20
"""Of each kind, those that recur and those that do not."""
ACCEPTED = ("price", "price_data", "quantity")


def sent(call: Call) -> tuple[LineItem, ...]:
    """Read the items of a session in `payment` or `subscription` mode. Raises Stripe's complaints about them."""
    given = call.params.nested("line_items")
    items = tuple(_item(call=call, item=given.nested(position)) for position in given.form)
    if not items:
        raise parameter_missing(param="line_items")
    _refuse_mixture(items)
    _refuse_mode(items, mode=call.params.required("mode"))
    return items


def _item(*, call: Call, item: Params) -> LineItem:
    item.refuse_unknown(ACCEPTED)
    price, quantity = _price(call=call, item=item), item.integer("quantity")
    if quantity is None:
        raise parameter_missing(param=item.name_of("quantity"))
    if quantity < 1:
        raise Refusal("This value must be greater than or equal to 1.", param=item.name_of("quantity"))
    product = call.account.products.find(price.product)
    return LineItem(
        id=new_id(prefix="li"),
        created=call.now,
        price=price,
        quantity=quantity,
        description=product.name if product else None,
    )


def _price(*, call: Call, item: Params) -> Price:
    if item.has("price_data"):
        return price_made(call=call, data=item.nested("price_data"))
    price = call.account.prices.get(item.required("price"), param=item.name_of("price"))
    if not price.active:
        message = "The price specified is inactive. This field only accepts active prices."
        raise Refusal(message, param=item.name_of("price"))
    return price


def _refuse_mixture(items: Sequence[LineItem]) -> None:
    kinds = Counter(bool(one.price.recurring) for one in items)
    if max(kinds.values()) > MOST:
        raise Refusal(f"You may only specify up to {MOST} line items.", param="line_items")
    first = items[0].price
    for one in items:
        if one.price.currency != first.currency:
            message = (
                f"The price specified only supports `{one.price.currency}`. This doesn't match the expected currency: "
                f"`{first.currency}`."
            )
            raise Refusal(message, param="line_items")


def _refuse_mode(items: Sequence[LineItem], *, mode: str) -> None:
    recurring = [one.price for one in items if one.price.recurring]
    if mode == "subscription" and not recurring:
        message = "You must provide at least one recurring price in `subscription` mode when using prices."
        raise Refusal(message, param="line_items")
    if mode == "payment" and recurring:
        message = (
            "You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use "
            "only one-time prices."
        )
        raise Refusal(message, param="line_items")
    if any(not same_rhythm(one, recurring[0]) for one in recurring):
        raise Refusal("Checkout does not support multiple prices with different billing intervals.", param="line_items")
