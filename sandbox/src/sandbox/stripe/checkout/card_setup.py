"""The life of a setup intent (https://docs.stripe.com/payments/setupintents/lifecycle): a card is saved."""

from dataclasses import replace

from sandbox.stripe import payments
from sandbox.stripe.call import Call
from sandbox.stripe.cards import CARDS, Decline
from sandbox.stripe.checkout.model import SetupIntent
from sandbox.stripe.ids import new_id, new_token
from sandbox.stripe.model import PaymentMethod
from sandbox.stripe.thing import Json

AUTHENTICATION_FAILED = Decline(
    code="setup_intent_authentication_failure",
    message=(
        "The latest attempt to set up the payment method has failed because authentication failed. You can try again "
        "with another payment method."
    ),
)


def begin(*, call: Call, customer: str | None, description: str | None, metadata: dict[str, str]) -> SetupIntent:
    """Make an intent that waits for its card, and tell of it."""
    id_ = new_id(prefix="seti")
    intent = SetupIntent(
        id=id_,
        created=call.now,
        metadata=metadata,
        client_secret=f"{id_}_secret_{new_token(length=25)}",
        customer=customer,
        description=description,
    )
    call.save(intent)
    call.emit("setup_intent.created", intent)
    return intent


def attempt(*, call: Call, intent: SetupIntent, card: str, bank: str) -> SetupIntent:
    """Save `card`, or ask its bank (whose page is at `bank`) where it wants to see the holder; or be declined."""
    method = _method_of(call=call, intent=intent, card=card)
    intent = replace(intent, last_setup_error=None, next_action=None)
    why = CARDS[card].attach
    if why:
        return _fail(call=call, intent=intent, method=method, why=why)
    call.save(method)
    if payments.wants_authentication(method):
        return _ask_the_bank(call=call, intent=intent, method=method, bank=bank)
    return _succeed(call=call, intent=intent, method=method)


def answer_bank(*, call: Call, intent: SetupIntent, authorised: bool) -> SetupIntent:
    """Answer the bank for the holder, about an intent in `requires_action`."""
    method = call.account.payment_methods.get(str(intent.payment_method))
    if authorised:
        return _succeed(call=call, intent=intent, method=method)
    return _fail(call=call, intent=intent, method=method, why=AUTHENTICATION_FAILED)


def cancel(*, call: Call, intent: SetupIntent) -> SetupIntent:
    """Nobody saved a card in time."""
    canceled = replace(intent, status="canceled", cancellation_reason="abandoned", next_action=None)
    call.save(canceled)
    call.emit("setup_intent.canceled", canceled)
    return canceled


def _method_of(*, call: Call, intent: SetupIntent, card: str) -> PaymentMethod:
    customer = call.account.customers.find(intent.customer) if intent.customer else None
    return PaymentMethod(
        id=new_id(prefix="pm"),
        created=call.now,
        card=card,
        billing_details={"email": customer.email, "name": customer.name} if customer else {},
        fingerprint=new_token(length=16),
    )


def _ask_the_bank(*, call: Call, intent: SetupIntent, method: PaymentMethod, bank: str) -> SetupIntent:
    action: Json = {"redirect_to_url": {"return_url": bank, "url": bank}, "type": "redirect_to_url"}
    waiting = replace(intent, status="requires_action", payment_method=method.id, next_action=action)
    call.save(waiting)
    call.emit("setup_intent.requires_action", waiting)
    return waiting


def _succeed(*, call: Call, intent: SetupIntent, method: PaymentMethod) -> SetupIntent:
    """Attach the card to the customer; it does not become his default by itself."""
    saved = call.save(replace(method, customer=intent.customer, set_up=True))
    if saved.customer:
        call.emit("payment_method.attached", saved)
    done = call.save(replace(intent, status="succeeded", payment_method=saved.id, next_action=None))
    call.emit("setup_intent.succeeded", done)
    return done


def _fail(*, call: Call, intent: SetupIntent, method: PaymentMethod, why: Decline) -> SetupIntent:
    error = payments.card_error(call=call, why=why, method=method)
    failed = replace(
        intent,
        status="requires_payment_method",
        payment_method=None,
        next_action=None,
        last_setup_error=error,
    )
    call.save(failed)
    call.emit("setup_intent.setup_failed", failed)
    return failed
