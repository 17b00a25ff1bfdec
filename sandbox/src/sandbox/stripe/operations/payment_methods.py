"""Payment methods (https://docs.stripe.com/api/payment_methods) and Stripe's `pm_card_…` test methods."""

from dataclasses import replace

from sandbox.stripe.call import Call
from sandbox.stripe.cards import CARDS, IBANS, NUMBERS, card_named
from sandbox.stripe.ids import new_id, new_token
from sandbox.stripe.listing import page
from sandbox.stripe.model import Json, PaymentMethod
from sandbox.stripe.params import Params
from sandbox.stripe.refusals import Refusal, missing, parameter_invalid
from sandbox.stripe.subscriptions.states import change

SPENT = (
    "This PaymentMethod was previously used without being attached to a Customer or was detached from a Customer, "
    "and may not be used again."
)


def create(call: Call) -> PaymentMethod:
    """Make a card from `card[token]=tok_…` or one of Stripe's test numbers, or a SEPA debit from its test IBAN."""
    call.params.required("type")
    kind = call.params.choice("type", among=("card", "sepa_debit"))
    details = call.params.plain("billing_details") or {}
    card = _account_sent(call.params.nested("sepa_debit")) if kind == "sepa_debit" else None
    card = card or _card_sent(call.params.nested("card"))
    method = replace(_new(call=call, card=card), billing_details=details)
    return call.save(replace(method, metadata=call.params.metadata()))


def retrieve(call: Call) -> PaymentMethod:
    return call.account.payment_methods.get(call.id)


def update(call: Call) -> PaymentMethod:
    """Only metadata and billing details can change."""
    before = call.account.payment_methods.get(call.id)
    details = call.params.plain("billing_details", current=before.billing_details) or {}
    method = replace(before, metadata=call.params.metadata(current=before.metadata), billing_details=details)
    call.save(method)
    call.emit("payment_method.updated", method, before=before)
    return method


def attach(call: Call) -> PaymentMethod:
    """Attach to a customer. `pm_card_visa` gives a new method each time; a spent one is refused."""
    customer = call.account.customers.get(call.params.required("customer"), param="customer")
    if customer.deleted:
        raise missing(kind="customer", id=customer.id, param="customer")
    method = call.save(attachable(call=call, named=call.id, customer=customer.id))
    call.emit("payment_method.attached", method)
    return method


def detach(call: Call) -> PaymentMethod:
    """Detach for good; it is no longer the default of the customer or a subscription either."""
    before = call.account.payment_methods.get(call.id)
    if before.customer is None:
        message = "The payment method you provided is not attached to a customer so detachment is impossible."
        raise Refusal(message)
    customer = call.account.customers.get(before.customer)
    if customer.default_payment_method == before.id:
        call.save(replace(customer, default_payment_method=None))
    method = call.save(replace(before, customer=None, spent=True))
    call.emit("payment_method.detached", method, before=before)
    for subscription in call.account.subscriptions.where("customer", customer.id):
        if subscription.default_payment_method == before.id and not subscription.is_over:
            change(call=call, subscription=subscription, default_payment_method=None)
    return method


def list_(call: Call) -> Json:
    """List the methods of one customer."""
    customer = call.params.text("customer")
    things = of_customer(call=call, customer=customer) if customer else []
    return page(call=call, things=things, url="/v1/payment_methods")


def list_of_customer(call: Call) -> Json:
    """List `/v1/customers/{id}/payment_methods`."""
    customer = call.account.customers.get(call.id)
    url = f"/v1/customers/{customer.id}/payment_methods"
    return page(call=call, things=of_customer(call=call, customer=customer.id), url=url)


def retrieve_of_customer(call: Call) -> PaymentMethod:
    """Retrieve `/v1/customers/{id}/payment_methods/{method}`."""
    method = call.account.payment_methods.get(call.params.path["method"])
    if method.customer != call.id:
        raise missing(kind="payment_method", id=method.id)
    return method


def of_customer(*, call: Call, customer: str) -> list[PaymentMethod]:
    """Return the methods attached to `customer`, newest first."""
    return [one for one in call.account.payment_methods.newest_first() if one.customer == customer]


def attached(*, call: Call, id: str, customer: str) -> PaymentMethod:  # noqa: A002
    """Return a method of this customer. Raises resource_missing."""
    method = call.account.payment_methods.find(id)
    if method is None or method.customer != customer:
        message = (
            f"The customer does not have a payment method with the ID {id}. The payment method must be attached to the "
            "customer."
        )
        raise Refusal(message, code="resource_missing", param="payment_method")
    return method


def attachable(*, call: Call, named: str, customer: str) -> PaymentMethod:
    """Return the method as it is once attached, not saved yet. Raises the decline of a card that cannot be attached."""
    method = known_or_new(call=call, named=named)
    if method.spent:
        raise Refusal(SPENT)
    if method.customer not in (None, customer):
        raise Refusal("The payment method you provided has already been attached to a customer.")
    why = CARDS[method.card].attach
    if why:
        more: Json = {"decline_code": why.decline_code} if why.decline_code else {}
        raise Refusal(why.message, status=402, type="card_error", code=why.code, **more)
    return replace(method, customer=customer)


def known_or_new(*, call: Call, named: str, param: str = "payment_method") -> PaymentMethod:
    """Return the method `pm_…`, or a new one for a test name such as `pm_card_visa`."""
    card = card_named(named) if named.startswith("pm_card_") else None
    if card:
        return _new(call=call, card=card)
    return call.account.payment_methods.get(named, param=param)


def _new(*, call: Call, card: str) -> PaymentMethod:
    return PaymentMethod(id=new_id(prefix="pm"), created=call.now, card=card, fingerprint=new_token(length=16))


def _account_sent(account: Params) -> str:
    known = IBANS.get(account.required("iban"))
    if known is None:
        raise parameter_invalid("The IBAN you provided is invalid.", param="sepa_debit[iban]", code="invalid_bank")
    return known


def _card_sent(card: Params) -> str:
    token, number = card.text("token"), card.text("number")
    known = card_named(token) if token else NUMBERS.get(number or "")
    if known is None and token:
        raise Refusal(f"No such token: '{token}'", code="resource_missing", param="card[token]")
    if known is None:
        raise parameter_invalid("Your card number is incorrect.", param="card[number]", code="incorrect_number")
    return known
