"""Balance transactions of a customer (https://docs.stripe.com/api/customer_balance_transactions): never undone."""

from dataclasses import replace

from sandbox.stripe import balances
from sandbox.stripe.call import Call
from sandbox.stripe.listing import page
from sandbox.stripe.model import BalanceTransaction, Json
from sandbox.stripe.money import currency_of
from sandbox.stripe.operations import customers
from sandbox.stripe.refusals import missing, parameter_missing


def create(call: Call) -> BalanceTransaction:
    """Adjust the balance; a negative amount is credit."""
    customer = customers.living(call=call, id=call.id, param="id")
    params, amount = call.params, call.params.integer("amount")
    if amount is None:
        raise parameter_missing(param="amount")
    made = balances.move(
        call=call,
        customer=customer,
        amount=amount,
        currency=currency_of(params.required("currency")),
        description=params.text("description"),
        metadata=params.metadata(),
    )
    call.emit("customer.updated", call.account.customers.get(customer.id), before=customer)
    return made


def retrieve(call: Call) -> BalanceTransaction:
    known = call.account.balance_transactions.get(call.params.path["transaction"])
    if known.customer != call.id:
        raise missing(kind=known.kind, id=known.id, param="id")
    return known


def update(call: Call) -> BalanceTransaction:
    """Change description and metadata only."""
    known = retrieve(call)
    description = call.params.unset_or_text("description", current=known.description)
    metadata = call.params.metadata(current=known.metadata)
    return call.save(replace(known, description=description, metadata=metadata))


def list_(call: Call) -> Json:
    """List a customer's, or those about one invoice; of a deleted customer too."""
    customer, invoice = call.account.customers.get(call.id), call.params.text("invoice")
    things = call.account.balance_transactions.where("customer", customer.id)
    kept = (one for one in things if invoice in (None, one.invoice))
    return page(call=call, things=kept, url=f"/v1/customers/{customer.id}/balance_transactions")
