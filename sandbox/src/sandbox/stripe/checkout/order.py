"""What a session sells, as the subscription and the one invoice that come of it; priced before anything exists."""

from dataclasses import replace

from sandbox.stripe.call import Call
from sandbox.stripe.checkout.model import CheckoutSession, LineItem
from sandbox.stripe.ids import new_id, new_token
from sandbox.stripe.invoice_model import InvoiceItem
from sandbox.stripe.model import Customer
from sandbox.stripe.subscriptions import beginning
from sandbox.stripe.subscriptions.bills import Bill
from sandbox.stripe.subscriptions.calendar import end_of_period
from sandbox.stripe.subscriptions.model import Subscription, SubscriptionItem, no_cancellation


def subscription_of(*, call: Call, session: CheckoutSession, customer: Customer, method: str | None) -> Subscription:
    """Return the subscription as it would begin now. The card is its own default, not the customer's."""
    id_ = new_id(prefix="sub")
    end = end_of_period(start=call.now, anchor=call.now, price=session.recurring[0].price)
    items = tuple(
        SubscriptionItem(
            id=new_id(prefix="si"),
            created=call.now,
            subscription=id_,
            price=one.price,
            quantity=one.quantity,
            period_start=call.now,
            period_end=end,
        )
        for one in session.recurring
    )
    return Subscription(
        id=id_,
        created=call.now,
        metadata=session.described,
        customer=customer.id,
        currency=str(session.currency),
        items=items,
        anchor=call.now,
        default_payment_method=method,
        description=session.description,
        cancellation=no_cancellation(),
    )


def bill_of(*, call: Call, session: CheckoutSession, customer: Customer, subscription: Subscription) -> Bill:
    """One first invoice for the plan and for what is bought once. Its one-time lines carry no metadata."""
    items = [_item(call=call, item=one, customer=customer, subscription=subscription) for one in session.once]
    return beginning.first_bill(call=call, subscription=subscription, customer=customer, items=items)


def amount_due(*, bill: Bill, customer: Customer) -> int:
    """Return what the buyer is asked for: the total, less what the customer's balance holds."""
    return bill.invoice.total + customer.balance


def customer_of(*, call: Call, session: CheckoutSession) -> Customer:
    """Return the session's customer; without one, the new one of this session, which is stored when it completes."""
    if session.customer:
        return call.account.customers.get(session.customer)
    return Customer(
        id=f"cus_{session.id[-14:]}",
        created=call.now,
        email=session.customer_email,
        invoice_prefix=new_token(length=8).upper(),
    )


def with_amounts(*, call: Call, session: CheckoutSession) -> CheckoutSession:
    """Return the session with the discounts and taxes that its invoice would have."""
    if not session.recurring:
        return session
    customer = customer_of(call=call, session=session)
    subscription = subscription_of(call=call, session=session, customer=customer, method=None)
    lines = bill_of(call=call, session=session, customer=customer, subscription=subscription).invoice.lines
    by_price = {line.price.id: line for line in lines}
    priced = [
        replace(one, discount=by_price[one.price.id].discounted, tax=by_price[one.price.id].taxed(inclusive=False))
        for one in session.line_items
    ]
    return replace(session, line_items=tuple(priced))


def _item(*, call: Call, item: LineItem, customer: Customer, subscription: Subscription) -> InvoiceItem:
    return InvoiceItem(
        id=new_id(prefix="ii"),
        created=call.now,
        customer=customer.id,
        invoice=None,
        subscription=subscription.id,
        amount=item.amount,
        currency=item.price.currency,
        quantity=item.quantity,
        unit_amount=item.price.unit_amount,
        price=item.price,
        description=item.description,
        period_start=call.now,
        period_end=call.now,
    )
