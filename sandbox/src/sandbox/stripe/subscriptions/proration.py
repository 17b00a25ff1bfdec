"""What a change within a period costs: the unused part of what was, the rest of what comes, to the second."""

from collections.abc import Sequence

from sandbox.stripe.call import Call
from sandbox.stripe.ids import new_id
from sandbox.stripe.invoice_model import InvoiceItem
from sandbox.stripe.subscriptions.model import Subscription, SubscriptionItem


def credit(*, call: Call, subscription: Subscription, items: Sequence[SubscriptionItem]) -> list[InvoiceItem]:
    """Return the unused time of `items`, as negative invoice items that are not stored yet."""
    return [_item(call=call, subscription=subscription, item=one, sign=-1, words="Unused time on") for one in items]


def debit(*, call: Call, subscription: Subscription, items: Sequence[SubscriptionItem]) -> list[InvoiceItem]:
    """Return the rest of the period at the price of `items`."""
    return [_item(call=call, subscription=subscription, item=one, sign=1, words="Remaining time on") for one in items]


def share_left(*, now: int, item: SubscriptionItem) -> int:
    """Return what the rest of the item's period costs, in minor units, halves rounded up."""
    whole = item.period_end - item.period_start
    left = max(item.period_end - now, 0)
    return (2 * item.amount * left + whole) // (2 * whole)


def _item(*, call: Call, subscription: Subscription, item: SubscriptionItem, sign: int, words: str) -> InvoiceItem:
    product = call.account.products.find(item.price.product)
    amount = sign * share_left(now=call.now, item=item)
    return InvoiceItem(
        id=new_id(prefix="ii"),
        created=call.now,
        customer=subscription.customer,
        invoice=None,
        subscription=subscription.id,
        subscription_item=item.id,
        proration=True,
        amount=amount,
        currency=subscription.currency,
        quantity=item.quantity,
        unit_amount=amount,
        price=item.price,
        description=f"{words} {product.name if product else item.price.product}",
        discountable=False,
        period_start=call.now,
        period_end=item.period_end,
    )
