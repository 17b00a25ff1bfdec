"""`price_data`: a price made for one item alone, inactive, so that no list of active ones has it."""

from decimal import Decimal, InvalidOperation

from sandbox.stripe.call import Call
from sandbox.stripe.ids import new_id
from sandbox.stripe.model import Price, Product
from sandbox.stripe.money import check_amount, currency_of
from sandbox.stripe.operations.prices import recurring_of
from sandbox.stripe.params import Params
from sandbox.stripe.refusals import parameter_invalid, parameter_missing


def price_made(*, call: Call, data: Params) -> Price:
    """Store the price that `price_data` describes, for a known product or (Checkout) a new one."""
    currency = currency_of(data.required("currency"), param=data.name_of("currency"))
    amount = unit_amount_of(data)
    check_amount(amount, currency=currency, param=data.name_of("unit_amount"))
    price = Price(
        id=new_id(prefix="price"),
        created=call.now,
        product=_product_of(call=call, data=data),
        currency=currency,
        unit_amount=amount,
        active=False,
        recurring=recurring_of(data),
    )
    return call.save(price)


def unit_amount_of(data: Params) -> int:
    """Return `unit_amount`, or `unit_amount_decimal` rounded to whole minor units."""
    whole, exact = data.integer("unit_amount"), data.text("unit_amount_decimal")
    if whole is None and exact is None:
        raise parameter_missing(param=data.name_of("unit_amount"))
    return whole if whole is not None else _decimal(str(exact), param=data.name_of("unit_amount_decimal"))


def _product_of(*, call: Call, data: Params) -> str:
    if not data.has("product_data"):
        return call.account.products.get(data.required("product"), param=data.name_of("product")).id
    described = data.nested("product_data")
    product = Product(
        id=new_id(prefix="prod"),
        created=call.now,
        metadata=described.metadata(),
        name=described.required("name"),
        active=False,
        description=described.text("description"),
        updated=call.now,
    )
    return call.save(product).id


def _decimal(text: str, *, param: str) -> int:
    try:
        return round(Decimal(text))
    except InvalidOperation:
        raise parameter_invalid(f"Invalid decimal: {text}", param=param) from None
