"""Checkout sessions (https://docs.stripe.com/api/checkout/sessions)."""

from typing import Any

from sandbox.stripe.call import Call
from sandbox.stripe.checkout import card_setup, order, sessions
from sandbox.stripe.checkout.model import CheckoutSession
from sandbox.stripe.ids import new_id
from sandbox.stripe.listing import filtered, page
from sandbox.stripe.money import check_payable, currency_of
from sandbox.stripe.operations import checkout_items, customers
from sandbox.stripe.params import Params
from sandbox.stripe.refusals import Refusal, parameter_invalid, parameter_missing, parameters_unknown
from sandbox.stripe.thing import Json

MODES = ("payment", "setup", "subscription")
STATUSES = ("open", "complete", "expired")
HOSTED = ("hosted", "hosted_page")
TYPES = ("allowed_payment_method_types", "payment_method_types")
"""What says «cards only»: the first since 2026-09-30.endive, which refuses the second."""
ENDIVE = "2026-09-30"
DESCRIBED = {"payment": "payment_intent_data", "setup": "setup_intent_data", "subscription": "subscription_data"}
"""The hash that describes what a session of each mode makes; the others are refused."""


def create(call: Call) -> CheckoutSession:
    """Open a session; its page is at `url`. In `setup` mode it has an intent at once, else nothing exists yet."""
    params = call.params
    mode = _mode(params)
    params.choice("ui_mode", among=HOSTED)
    customer = _customer(call)
    id_ = new_id(prefix="cs_test")
    adaptive = params.nested("adaptive_pricing").boolean("enabled")
    session = CheckoutSession(
        id=id_,
        created=call.now,
        metadata=params.metadata(),
        mode=mode,
        payment_status="no_payment_required" if mode == "setup" else "unpaid",
        success_url=_address(params, "success_url") or _missing("success_url"),
        cancel_url=_address(params, "cancel_url"),
        url=f"{call.account.settings.public_url}/c/pay/{id_}",
        expires_at=_expires_at(call),
        customer=customer,
        customer_email=params.text("customer_email"),
        client_reference_id=params.text("client_reference_id"),
        locale=params.text("locale"),
        payment_method_types=_method_types(call),
        adaptive_pricing=adaptive,
        **_offer(call=call, mode=mode, customer=customer),
    )
    return sessions.open_(call=call, session=_priced(call=call, session=session))


def retrieve(call: Call) -> CheckoutSession:
    return call.account.checkout_sessions.get(call.id)


def list_(call: Call) -> Json:
    """Sessions by customer, subscription, payment intent and status."""
    account, params = call.account, call.params
    status = params.choice("status", among=STATUSES)
    subscription, intent = params.text("subscription"), params.text("payment_intent")
    things = filtered(held=account.checkout_sessions, call=call, by="customer", known=account.customers)
    kept = (one for one in things if status in (None, one.status) and subscription in (None, one.subscription))
    kept = (one for one in kept if intent is None or (one.intent == intent and one.mode == "payment"))
    return page(call=call, things=kept, url="/v1/checkout/sessions")


def list_line_items(call: Call) -> Json:
    """List `/v1/checkout/sessions/{id}/line_items`, in the order in which they were sent."""
    session = retrieve(call)
    return page(call=call, things=session.line_items, url=f"/v1/checkout/sessions/{session.id}/line_items")


def expire(call: Call) -> CheckoutSession:
    return sessions.expire(call=call, session=retrieve(call))


def _mode(params: Params) -> str:
    params.required("mode")
    mode = params.choice("mode", among=MODES) or ""
    for other, name in DESCRIBED.items():
        if other != mode and params.has(name):
            raise Refusal(f"You can not pass `{name}` in `{mode}` mode.", param=name)
    if mode == "setup" and params.has("line_items"):
        raise Refusal("You can not pass `line_items` in `setup` mode.", param="line_items")
    return mode


def _customer(call: Call) -> str | None:
    customer = call.params.text("customer")
    if customer and call.params.text("customer_email"):
        raise Refusal("You may only specify one of these parameters: customer, customer_email.")
    return customers.living(call=call, id=customer).id if customer else None


def _offer(*, call: Call, mode: str, customer: str | None) -> dict[str, Any]:
    """Return what the session is for: saving a card, or selling its line items."""
    described = call.params.nested(DESCRIBED[mode])
    description, metadata = described.text("description"), described.metadata()
    if mode == "setup":
        intent = card_setup.begin(call=call, customer=customer, description=description, metadata=metadata)
        return {"currency": _currency(call.params), "setup_intent": intent.id}
    items = checkout_items.sent(call)
    currency = items[0].price.currency
    if (call.params.text("currency") or currency).lower() != currency:
        raise Refusal(f"The price specified only supports `{currency}`.", param="currency")
    return {"currency": currency, "line_items": items, "description": description, "described": metadata}


def _priced(*, call: Call, session: CheckoutSession) -> CheckoutSession:
    """With its amounts; those of invoice lines are found by their price, so each may come once."""
    if len({one.price.id for one in session.line_items}) < len(session.line_items):
        raise Refusal("The sandbox takes each price once, with its quantity.", param="line_items")
    priced = order.with_amounts(call=call, session=session)
    if priced.mode == "payment":
        check_payable(priced.total, currency=str(priced.currency))
    return priced


def _currency(params: Params) -> str | None:
    sent = params.text("currency")
    if sent is None and not any(params.has(name) for name in TYPES):
        raise parameter_missing(param="currency")
    return currency_of(sent) if sent else None


def _method_types(call: Call) -> tuple[str, ...]:
    gone = TYPES[1 if call.version[:10] >= ENDIVE else 0]
    if call.params.has(gone):
        raise parameters_unknown(params=[gone])
    for name in TYPES:
        if call.params.texts(name) not in ([], ["card"]):
            raise parameter_invalid("The sandbox knows cards only.", param=name)
    return ("card",)


def _expires_at(call: Call) -> int:
    asked = call.params.integer("expires_at")
    if asked is None:
        return call.now + sessions.LONGEST
    if asked < call.now + sessions.SHORTEST:
        message = "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation."
        raise parameter_invalid(message, param="expires_at")
    if asked > call.now + sessions.LONGEST:
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
