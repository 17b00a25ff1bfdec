"""The life of a payment intent (https://docs.stripe.com/payments/paymentintents/lifecycle): attempt, bank, charge."""

from dataclasses import replace
from typing import Any, Final

from sandbox.stripe import disputing
from sandbox.stripe.call import Call
from sandbox.stripe.cards import AUTHENTICATION, CARDS, NO_FUNDS, Decline
from sandbox.stripe.ids import new_id, new_token
from sandbox.stripe.model import Charge, Json, PaymentIntent, PaymentMethod
from sandbox.stripe.refusals import DOCS, Refusal
from sandbox.stripe.render import render

OPEN: Final = frozenset({"requires_payment_method", "requires_confirmation", "requires_action"})
"""Statuses from which an intent may be confirmed or cancelled."""

AUTHENTICATION_FAILED: Final = (
    "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new "
    "PaymentMethod to attempt to fulfill this PaymentIntent again."
)


def new_intent(
    *, call: Call, amount: int, currency: str, customer: str | None, invoice: str | None = None, **more: Any
) -> PaymentIntent:
    """Make an intent that waits for its payment method, and tell of it."""
    id_ = new_id(prefix="pi")
    known = PaymentIntent(
        id=id_,
        created=call.now,
        amount=amount,
        currency=currency,
        customer=customer,
        invoice=invoice,
        status="requires_payment_method",
        client_secret=f"{id_}_secret_{new_token(length=25)}",
    )
    intent = call.save(replace(known, **more))
    call.emit("payment_intent.created", intent)
    return intent


def bind(*, call: Call, intent: PaymentIntent, invoice: str) -> PaymentIntent:
    """Let an intent that paid at Checkout, and its charge, be the payment of the invoice that Checkout made for it."""
    charge = call.account.charges.get(str(intent.latest_charge))
    call.save(replace(charge, invoice=invoice))
    return call.save(replace(intent, invoice=invoice))


def attempt(
    *, call: Call, intent: PaymentIntent, method: PaymentMethod, off_session: bool, return_url: str | None
) -> PaymentIntent:
    """Charge `method`, or ask the bank first where its card wants it.

    Off-session on an intent of its own, a card that wants authentication is declined with
    `authentication_required`; on an invoice the intent waits as `invoice_authentication` of the settings says.
    """
    intent = replace(intent, payment_method=method.id, next_action=None, last_payment_error=None)
    if CARDS[method.card].debit:
        return _debit(call=call, intent=intent, method=method)
    if not wants_authentication(method):
        return charge(call=call, intent=intent, method=method)
    if off_session and _is_refused_off_session(call=call, intent=intent):
        return decline(call=call, intent=intent, method=method, why=AUTHENTICATION)
    return _ask_the_bank(call=call, intent=intent, return_url=return_url)


def wants_authentication(method: PaymentMethod) -> bool:
    """Return whether the card's bank wants to see its holder."""
    card = CARDS[method.card]
    return card.authenticate and not (card.consent and method.set_up)


def _is_refused_off_session(*, call: Call, intent: PaymentIntent) -> bool:
    waits = call.account.settings.invoice_authentication == "requires_action"
    return not (intent.invoice and waits)


def _ask_the_bank(*, call: Call, intent: PaymentIntent, return_url: str | None) -> PaymentIntent:
    """Ask by `redirect_to_url` where a return_url was given, else by `use_stripe_sdk` as with Stripe.js."""
    action: Json = {"type": "use_stripe_sdk", "use_stripe_sdk": {"type": "three_d_secure_redirect"}}
    if return_url:
        url = f"{call.account.settings.public_url}/bank/{intent.id}/{intent.client_secret}"
        action = {"redirect_to_url": {"return_url": return_url, "url": url}, "type": "redirect_to_url"}
    waiting = replace(intent, status="requires_action", next_action=action, return_url=return_url)
    call.save(waiting)
    call.emit("payment_intent.requires_action", waiting)
    return waiting


def charge(*, call: Call, intent: PaymentIntent, method: PaymentMethod, authenticated: bool = False) -> PaymentIntent:
    """Take the money, or be declined as the card says."""
    why = CARDS[method.card].charge
    if why:
        return decline(call=call, intent=intent, method=method, why=why, authenticated=authenticated)
    charged = _charge_of(call=call, intent=intent, method=method, authenticated=authenticated)
    charged = call.save(replace(charged, amount_captured=intent.amount, status="succeeded"))
    paid = call.save(
        replace(
            intent,
            status="succeeded",
            amount_received=intent.amount,
            latest_charge=charged.id,
            next_action=None,
            last_payment_error=None,
        )
    )
    call.emit("payment_intent.succeeded", paid)
    call.emit("charge.succeeded", charged)
    disputing.open_as_the_card_says(call=call, charge=charged)
    return paid


def _debit(*, call: Call, intent: PaymentIntent, method: PaymentMethod) -> PaymentIntent:
    """Hand the payment to the bank, which takes days (https://docs.stripe.com/payments/paymentintents/lifecycle)."""
    pending = call.save(
        replace(_charge_of(call=call, intent=intent, method=method, authenticated=False), status="pending")
    )
    waiting = call.save(replace(intent, status="processing", latest_charge=pending.id))
    call.emit("payment_intent.processing", waiting)
    call.emit("charge.pending", pending)
    return waiting


def settle(*, call: Call, intent: PaymentIntent, succeeded: bool) -> PaymentIntent:
    """Apply the bank's word on a debit. Raises Stripe's refusal for an intent that is not `processing`."""
    if intent.status != "processing":
        message = f"This PaymentIntent is not with a bank: it has a status of {intent.status}."
        raise unexpected_state(call=call, intent=intent, message=message)
    charged = call.account.charges.get(str(intent.latest_charge))
    if succeeded:
        charged = call.save(replace(charged, amount_captured=intent.amount, status="succeeded"))
        paid = call.save(replace(intent, status="succeeded", amount_received=intent.amount))
        call.emit("payment_intent.succeeded", paid)
        call.emit("charge.succeeded", charged)
        return paid
    method = call.account.payment_methods.get(str(intent.payment_method))
    failed = replace(charged, status="failed", failure_code=NO_FUNDS.code, failure_message=NO_FUNDS.message)
    call.save(failed)
    error = card_error(call=call, why=NO_FUNDS, method=method) | {"charge": failed.id, "type": "invalid_request_error"}
    waiting = _without_method(call=call, intent=intent, error=error)
    call.emit("charge.failed", failed)
    call.emit("payment_intent.payment_failed", waiting)
    return waiting


def decline(
    *, call: Call, intent: PaymentIntent, method: PaymentMethod, why: Decline, authenticated: bool = False
) -> PaymentIntent:
    """Record the failed charge; the intent loses its method and waits for another one."""
    failed = _charge_of(call=call, intent=intent, method=method, authenticated=authenticated)
    failed = replace(failed, failure_code=why.code, failure_message=why.message, decline_code=why.decline_code)
    call.save(failed)
    error = card_error(call=call, why=why, method=method) | {"charge": failed.id}
    waiting = _without_method(call=call, intent=replace(intent, latest_charge=failed.id), error=error)
    call.emit("charge.failed", failed)
    call.emit("payment_intent.payment_failed", waiting)
    return waiting


def fail_authentication(*, call: Call, intent: PaymentIntent) -> PaymentIntent:
    """Fail the intent, as the customer said no at the bank: no charge is made, it waits for another method."""
    code = "payment_intent_authentication_failure"
    method = call.account.payment_methods.get(str(intent.payment_method))
    error: Json = {
        "code": code,
        "doc_url": DOCS + code.replace("_", "-"),
        "message": AUTHENTICATION_FAILED,
        "payment_method": render(method, version=call.version),
        "type": "invalid_request_error",
    }
    waiting = _without_method(call=call, intent=intent, error=error)
    call.emit("payment_intent.payment_failed", waiting)
    return waiting


def cancel(*, call: Call, intent: PaymentIntent, reason: str | None) -> PaymentIntent:
    """Cancel an intent that has not succeeded."""
    if intent.status not in OPEN:
        message = (
            f"You cannot cancel this PaymentIntent because it has a status of {intent.status}. Only a PaymentIntent "
            "with one of the following statuses may be canceled: requires_payment_method, requires_capture, "
            "requires_confirmation, requires_action, processing."
        )
        raise unexpected_state(call=call, intent=intent, message=message)
    canceled = replace(intent, status="canceled", canceled_at=call.now, cancellation_reason=reason, next_action=None)
    call.save(canceled)
    call.emit("payment_intent.canceled", canceled)
    return canceled


def card_error(*, call: Call, why: Decline, method: PaymentMethod) -> Json:
    """Return the error of a decline, as `last_payment_error` keeps it and a 402 answers it."""
    error: Json = {
        "code": why.code,
        "doc_url": DOCS + why.code.replace("_", "-"),
        "message": why.message,
        "payment_method": render(method, version=call.version),
        "type": "card_error",
    }
    return error | ({"decline_code": why.decline_code} if why.decline_code else {})


def refusal_of(*, call: Call, intent: PaymentIntent) -> Refusal:
    """Return the 402 for an intent whose last attempt was declined, with the intent itself in the error."""
    error = dict(intent.last_payment_error or {})
    message, type_ = str(error.pop("message")), str(error.pop("type"))
    error.pop("doc_url", None)
    shown = render(intent, version=call.version)
    return Refusal(message, status=402, type=type_, code=error.pop("code"), payment_intent=shown, **error)


def unexpected_state(*, call: Call, intent: PaymentIntent, message: str) -> Refusal:
    """400 payment_intent_unexpected_state."""
    shown = render(intent, version=call.version)
    return Refusal(message, code="payment_intent_unexpected_state", payment_intent=shown)


def _without_method(*, call: Call, intent: PaymentIntent, error: Json) -> PaymentIntent:
    return call.save(
        replace(
            intent,
            status="requires_payment_method",
            payment_method=None,
            next_action=None,
            last_payment_error=error,
        )
    )


def _charge_of(*, call: Call, intent: PaymentIntent, method: PaymentMethod, authenticated: bool) -> Charge:
    return Charge(
        id=new_id(prefix="ch"),
        created=call.now,
        metadata=intent.metadata,
        amount=intent.amount,
        amount_captured=0,
        currency=intent.currency,
        customer=intent.customer,
        description=intent.description,
        invoice=intent.invoice,
        payment_intent=intent.id,
        payment_method=method.id,
        card=method.card,
        billing_details=method.billing_details,
        fingerprint=method.fingerprint,
        status="failed",
        authenticated=authenticated,
        receipt_email=intent.receipt_email,
    )
