"""Discounts (https://docs.stripe.com/api/discounts) of customers and of invoices."""

from collections.abc import Iterable
from dataclasses import replace

from sandbox.stripe.adjustments import Discount
from sandbox.stripe.call import Call
from sandbox.stripe.forms import values_of
from sandbox.stripe.invoice_model import Invoice
from sandbox.stripe.model import Customer
from sandbox.stripe.operations import coupons, customers
from sandbox.stripe.params import Params
from sandbox.stripe.refusals import Refusal, parameter_missing
from sandbox.stripe.render import render
from sandbox.stripe.thing import Json


def give_customer(*, call: Call, customer: Customer, coupon: str) -> Discount:
    """Let `coupon` count for every invoice to come that names no discounts of its own."""
    discount = coupons.redeem(call=call, named=coupon, customer=customer.id)
    call.save(replace(customer, discount=discount))
    call.emit("customer.discount.created", discount)
    return discount


def delete_of_customer(call: Call) -> Json:
    """Carry out `DELETE /v1/customers/{id}/discount`; invoices that have it keep it."""
    customer = customers.living(call=call, id=call.id, param="id")
    if customer.discount is None:
        raise Refusal(f"No active discount for customer: {customer.id}", status=404, code="resource_missing")
    discount = customer.discount
    call.save(replace(customer, discount=None))
    call.emit("customer.discount.deleted", discount)
    shown = render(discount, version=call.version)
    return {name: value for name, value in shown.items() if name != "end"} | {"deleted": True}


def of_invoice(*, call: Call, invoice: Invoice, inherited: Iterable[Discount]) -> tuple[Discount, ...]:
    """Read what `discounts` names: none when it is empty, and `inherited` when it was not sent."""
    if not call.params.has("discounts"):
        return tuple(inherited)
    sent = call.params.nested("discounts")
    items = [sent.nested(name) for name in sent.form]
    return tuple(_named(call=call, invoice=invoice, item=item) for item in items if values_of(item.form))


def inherited(*, customer: Customer, currency: str) -> tuple[Discount, ...]:
    """Return the customer's discount, for an invoice of his that names none of its own."""
    return tuple(one for one in [customer.discount] if one and suits(one, currency=currency))


def suits(discount: Discount, *, currency: str) -> bool:
    """Return whether the coupon takes off a share, or an amount of this currency."""
    return discount.coupon.currency in (None, currency)


def _named(*, call: Call, invoice: Invoice, item: Params) -> Discount:
    item.refuse_unknown(("coupon", "discount"))
    coupon, discount = item.text("coupon"), item.text("discount")
    if discount:
        found = call.account.discounts.get(discount, param=item.name_of("discount"))
    elif coupon:
        found = coupons.redeem(call=call, named=coupon, customer=invoice.customer, invoice=invoice.id)
    else:
        raise parameter_missing(param=item.name_of("coupon"))
    if not suits(found, currency=invoice.currency):
        message = f"The coupon {found.coupon.id} cannot be applied to an invoice in {invoice.currency}."
        raise Refusal(message, param="discounts")
    return found
