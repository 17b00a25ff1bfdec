"""Checkout sessions (https://docs.stripe.com/api/checkout/sessions), in `setup` mode."""

from sandbox.stripe import card_setup, checkout
from sandbox.stripe.call import Call
from sandbox.stripe.checkout_model import CheckoutSession
from sandbox.stripe.ids import new_id
from sandbox.stripe.listing import filtered, page
from sandbox.stripe.money import currency_of
from sandbox.stripe.operations import customers
from sandbox.stripe.params import Params
from sandbox.stripe.refusals import parameter_invalid, parameter_missing
from sandbox.stripe.thing import Json

MODES = ("setup",)
STATUSES = ("open", "complete", "expired")
HOSTED = ("hosted", "hosted_page")


def create(call: Call) -> CheckoutSession:
    """Open a session and its setup intent; its page is at `url`."""
    params = call.params
    params.required("mode")
    params.choice("mode", among=MODES)
    params.choice("ui_mode", among=HOSTED)
    customer = params.text("customer")
    if customer:
        customers.living(call=call, id=customer)
    id_ = new_id(prefix="cs_test")
    session = CheckoutSession(
        id=id_,
        created=call.now,
        metadata=params.metadata(),
        mode="setup",
        payment_status="no_payment_required",
        success_url=_address(params, "success_url") or _missing("success_url"),
        cancel_url=_address(params, "cancel_url"),
        url=f"{call.account.settings.public_url}/c/pay/{id_}",
        expires_at=_expires_at(call),
        currency=_currency(params),
        customer=customer,
        customer_email=params.text("customer_email"),
        client_reference_id=params.text("client_reference_id"),
        locale=params.text("locale"),
        payment_method_types=_method_types(params),
        setup_intent=_setup_intent(call, customer=customer),
    )
    return checkout.open_(call=call, session=session)


def retrieve(call: Call) -> CheckoutSession:
    return call.account.checkout_sessions.get(call.id)


def list_(call: Call) -> Json:
    """Sessions by customer and status."""
    account, status = call.account, call.params.choice("status", among=STATUSES)
    things = filtered(held=account.checkout_sessions, call=call, by="customer", known=account.customers)
    kept = (one for one in things if status in (None, one.status))
    return page(call=call, things=kept, url="/v1/checkout/sessions")


def expire(call: Call) -> CheckoutSession:
    return checkout.expire(call=call, session=retrieve(call))


def _setup_intent(call: Call, *, customer: str | None) -> str:
    data = call.params.nested("setup_intent_data")
    description, metadata = data.text("description"), data.metadata()
    return card_setup.begin(call=call, customer=customer, description=description, metadata=metadata).id


def _currency(params: Params) -> str | None:
    sent = params.text("currency")
    if sent is None and not params.has("payment_method_types"):
        raise parameter_missing(param="currency")
    return currency_of(sent) if sent else None


def _method_types(params: Params) -> tuple[str, ...]:
    types = params.texts("payment_method_types") or ["card"]
    if types != ["card"]:
        raise parameter_invalid("The sandbox knows cards only.", param="payment_method_types")
    return tuple(types)


def _expires_at(call: Call) -> int:
    asked = call.params.integer("expires_at")
    if asked is None:
        return call.now + checkout.LONGEST
    if asked < call.now + checkout.SHORTEST:
        message = "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation."
        raise parameter_invalid(message, param="expires_at")
    if asked > call.now + checkout.LONGEST:
        message = "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation."
        raise parameter_invalid(message, param="expires_at")
    return asked


def _address(params: Params, name: str) -> str | None:
    address = params.text(name)
    if address and not address.startswith(("http://", "https://")):
        raise parameter_invalid("Not a valid URL", param=name, code="url_invalid")
    return address


def _missing(name: str) -> str:
    raise parameter_missing(param=name)
