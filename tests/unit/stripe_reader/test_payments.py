"""Which payment of an invoice counts, how far it is, and who is waited for."""

from typing import Any, Final

import pytest

from stripe_reader.payments import (
    needs_customer,
    read_intent_and_charge,
    read_open_intents,
    read_paid_off_stripe,
    read_payment_intent,
)
from stripe_reader.stripe_json import Json, UnknownShape

ERROR: Final = {"code": "card_declined", "decline_code": "insufficient_funds"}


def intent(number: int, status: str, **more: Any) -> dict[str, Any]:
    return {"id": f"pi_{number}", "object": "payment_intent", "status": status, **more}


def payment(paid_with: Json | str, *, status: str = "open", is_default: bool = False) -> dict[str, Any]:
    linked = {"type": "payment_intent", "payment_intent": paid_with}
    return {"status": status, "is_default": is_default, "payment": linked}


def invoice(*payments: Json) -> dict[str, Any]:
    return {"id": "in_1", "payments": {"object": "list", "data": list(payments), "has_more": False}}


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        ("requires_action", None, True),
        ("requires_confirmation", None, True),
        ("requires_payment_method", "authentication_required", True),
        ("requires_payment_method", "card_declined", False),
        ("requires_payment_method", "payment_intent_authentication_failure", False),
        ("requires_payment_method", None, False),
        ("canceled", "authentication_required", False),
        ("processing", None, None),
        ("requires_capture", None, None),
        ("succeeded", None, None),
        (None, None, None),
    ],
)
def test_only_these_wait_for_the_customer(status: str | None, code: str | None, expected: bool | None) -> None:
    """SPEC §3, needs the customer; what is neither that nor a decline is no answer."""
    assert expected is needs_customer(status=status, error_code=code)


def test_of_two_open_payments_neither_is_guessed() -> None:
    """Since 2025-05-28.basil an invoice may have several: the first one need not be the one that pays."""
    shown = invoice(payment(intent(1, "requires_payment_method")), payment(intent(2, "processing")))

    assert read_intent_and_charge(shown) == (None, None)
    assert [(one.payment_intent_id, one.status) for one in read_open_intents(shown)] == [
        ("pi_1", "requires_payment_method"),
        ("pi_2", "processing"),
    ]


def test_what_was_cancelled_pays_no_more() -> None:
    shown = invoice(
        payment(intent(1, "canceled"), status="canceled", is_default=True), payment(intent(2, "requires_action"))
    )

    assert [one.payment_intent_id for one in read_open_intents(shown)] == ["pi_2"]


def test_an_intent_that_is_no_more_than_its_id_says_nothing() -> None:
    assert read_open_intents(invoice({"status": "open", "payment": {"payment_intent": "pi_1"}})) == ()


def test_an_intent_says_how_far_its_payment_is() -> None:
    action = {"redirect_to_url": {"url": "https://bank.example/3ds"}}

    said = read_payment_intent(intent(1, "requires_action", last_payment_error=ERROR, next_action=action))

    assert vars(said) == {
        "payment_intent_id": "pi_1",
        "status": "requires_action",
        "needs_customer": True,
        "has_failed": True,
        "failure_code": "insufficient_funds",
        "action_url": "https://bank.example/3ds",
    }


def test_a_status_that_stripe_does_not_document_is_not_guessed() -> None:
    with pytest.raises(UnknownShape, match="requires_patience"):
        read_payment_intent(intent(1, "requires_patience"))


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ({}, None),
        ({"amount_paid_off_stripe": 300}, 300),
        ({"amount_paid_off_stripe": None}, None),
        ({"paid_out_of_band": True}, 1000),
        ({"paid_out_of_band": False}, 0),
        ({"payments": {"data": [], "has_more": False}}, 1000),
        ({"payments": {"data": [payment("pi_1", status="paid") | {"amount_paid": 700}], "has_more": False}}, 300),
        ({"payments": {"data": [payment("pi_1", status="paid") | {"amount_paid": 700}], "has_more": True}}, None),
        ({"payments": {"data": [payment("pi_1")], "has_more": False}, "amount_paid_off_stripe": 0}, 0),
    ],
)
def test_what_was_paid_outside_of_stripe_is_said_or_is_what_all_charges_leave(
    shown: dict[str, Any], expected: int | None
) -> None:
    assert expected == read_paid_off_stripe({"amount_due": 1000, "amount_paid": 1000, **shown})
