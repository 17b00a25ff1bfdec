"""Customers (https://docs.stripe.com/api/customers)."""

from dataclasses import replace

from sandbox.stripe import balances
from sandbox.stripe.call import Call
from sandbox.stripe.ids import new_id, new_token
from sandbox.stripe.listing import page
from sandbox.stripe.model import Customer, Json, PaymentMethod
from sandbox.stripe.operations import payment_methods
from sandbox.stripe.params import Params
from sandbox.stripe.refusals import Refusal, missing
from sandbox.stripe.subscriptions import ending

TEXTS = ("email", "name", "phone", "description")


def create(call: Call) -> Customer:
    """Make a customer; a `payment_method` is attached to it."""
    customer = Customer(id=new_id(prefix="cus"), created=call.now, invoice_prefix=new_token(length=8).upper())
    customer = _changed(customer, params=call.params)
    method = _first_method(call=call, customer=customer)
    chosen = _default_method(call=call, customer=customer, attached=method)
    customer = call.save(replace(customer, default_payment_method=chosen))
    customer = _with_balance(call=call, customer=customer, type="initial")
    call.emit("customer.created", customer)
    if method:
        call.emit("payment_method.attached", method)
    return customer


def retrieve(call: Call) -> Customer:
    """Return the customer; a deleted one is still known, as `deleted: true`."""
    return call.account.customers.get(call.id)


def update(call: Call) -> Customer:
    """Change what was sent; what was not stays."""
    before = living(call=call, id=call.id, param="id")
    customer = _changed(before, params=call.params)
    chosen = _default_method(call=call, customer=customer)
    customer = call.save(replace(customer, default_payment_method=chosen))
    customer = _with_balance(call=call, customer=customer, type="adjustment")
    call.emit("customer.updated", customer, before=before)
    return customer


def delete(call: Call) -> Json:
    """Delete for good: its subscriptions are cancelled, its payment methods detached."""
    before = living(call=call, id=call.id, param="id")
    for subscription in call.account.subscriptions.where("customer", before.id):
        if not subscription.is_over:
            ending.cancel(call=call, subscription=subscription, reason="cancellation_requested")
    for method in payment_methods.of_customer(call=call, customer=before.id):
        call.save(replace(method, customer=None, spent=True))
    call.save(replace(before, deleted=True))
    call.emit("customer.deleted", before)
    return {"id": before.id, "object": "customer", "deleted": True}


def list_(call: Call) -> Json:
    """List all customers, or those of one e-mail address (which Stripe compares exactly)."""
    email = call.params.text("email")
    things = (one for one in call.account.customers.newest_first() if not one.deleted)
    return page(
        call=call,
        things=(one for one in things if email is None or one.email == email),
        url="/v1/customers",
    )


def living(*, call: Call, id: str, param: str = "customer") -> Customer:  # noqa: A002
    """Return a customer that is not deleted. Raises resource_missing."""
    customer = call.account.customers.get(id, param=param)
    if customer.deleted:
        raise missing(kind="customer", id=id, param=param)
    return customer


def _changed(customer: Customer, *, params: Params) -> Customer:
    texts: Json = {name: params.unset_or_text(name, current=getattr(customer, name)) for name in TEXTS}
    locales = params.texts("preferred_locales") if params.has("preferred_locales") else customer.preferred_locales
    return replace(
        customer,
        **texts,
        metadata=params.metadata(current=customer.metadata),
        address=params.plain("address", current=customer.address),
        shipping=params.plain("shipping", current=customer.shipping),
        tax_exempt=params.choice("tax_exempt", among=("none", "exempt", "reverse")) or customer.tax_exempt,
        preferred_locales=tuple(locales),
        invoice_prefix=params.text("invoice_prefix") or customer.invoice_prefix,
        next_invoice_sequence=params.integer("next_invoice_sequence") or customer.next_invoice_sequence,
    )


def _with_balance(*, call: Call, customer: Customer, type: str) -> Customer:  # noqa: A002
    """Update the customer. `balance` is what it shall be: the difference is a transaction."""
    wanted = call.params.integer("balance")
    if wanted is not None and wanted != customer.balance:
        balances.move(call=call, customer=customer, amount=wanted - customer.balance, type=type)
    return call.account.customers.get(customer.id)


def _first_method(*, call: Call, customer: Customer) -> PaymentMethod | None:
    named = call.params.text("payment_method")
    if named is None:
        return None
    return call.save(payment_methods.attachable(call=call, named=named, customer=customer.id))


def _default_method(*, call: Call, customer: Customer, attached: PaymentMethod | None = None) -> str | None:
    """Update the customer; `invoice_settings[default_payment_method]` has to be attached already."""
    settings = call.params.nested("invoice_settings")
    current = customer.default_payment_method
    wanted = settings.unset_or_text("default_payment_method", current=current)
    if wanted is None or wanted == current:
        return wanted
    if attached and wanted == call.params.text("payment_method"):
        return attached.id
    method = call.account.payment_methods.find(wanted)
    if method is None or method.customer != customer.id:
        raise _not_attached(wanted)
    return method.id


def _not_attached(method: str) -> Refusal:
    message = (
        f"The customer does not have a payment method with the ID {method}. The payment method must be attached to "
        "the customer."
    )
    return Refusal(message, code="resource_missing", param="invoice_settings[default_payment_method]")
