"""What Stripe's errors mean to us: unknown is never failed."""

from contextlib import suppress
from typing import Any

import pytest
import stripe
from prometheus_client import REGISTRY

from purchases.stripe_api.client import (
    CardDeclined,
    CustomerNeeded,
    ObjectMissing,
    OutcomeUnknown,
    StripeRefused,
    phase,
)

RAISED: Any = stripe
"""The errors' constructors have no types."""


NO_DECLINE: dict[str, Any] = {"error": {"type": "invalid_request_error", "code": "invoice_not_editable"}}


def card_error(code: str, decline_code: str | None = None) -> stripe.CardError:
    error: dict[str, Any] = {"code": code, "message": "no", "type": "card_error"}
    body = {"error": error | ({"decline_code": decline_code} if decline_code else {})}
    made: stripe.CardError = RAISED.CardError("no", None, code, http_status=402, json_body=body)
    return made


async def meant(error: Exception) -> Exception:
    with pytest.raises(Exception) as raised:  # noqa: PT011 - whatever it is
        async with phase("test"):
            raise error
    return raised.value


@pytest.mark.parametrize(
    "error",
    [
        RAISED.APIConnectionError("timeout"),
        RAISED.APIError("broken", http_status=500),
        RAISED.APIError("unavailable", http_status=503),
        RAISED.RateLimitError("slow down", http_status=429),
        RAISED.AuthenticationError("no such key", http_status=401),
        RAISED.InvalidRequestError("lock timeout", None, http_status=409),
        RAISED.IdempotencyError("in use", http_status=409),
        RAISED.PermissionError("not yours", http_status=403),
        RAISED.IdempotencyError("other parameters", http_status=400),
        RAISED.InvalidRequestError("a proxy's own", None, http_status=418),
    ],
)
async def test_what_may_have_happened_is_unknown(error: stripe.StripeError) -> None:
    meaning = await meant(error)
    assert isinstance(meaning, OutcomeUnknown)
    repeats = isinstance(error, stripe.IdempotencyError) and error.http_status == 400
    assert (error.http_status in (500, 503) or repeats) is meaning.stored


@pytest.mark.parametrize(
    "error",
    [
        RAISED.InvalidRequestError("bad", "amount", http_status=400),
        RAISED.CardError("no", None, "invoice_not_editable", http_status=402, json_body=NO_DECLINE),
    ],
)
async def test_a_permanent_4xx_is_refused(error: stripe.StripeError) -> None:
    meaning = await meant(error)
    assert StripeRefused is type(meaning)


@pytest.mark.parametrize(
    "error",
    [
        RAISED.InvalidRequestError("gone", "id", http_status=404),
        RAISED.InvalidRequestError("gone", "customer", code="resource_missing", http_status=400),
    ],
)
async def test_what_stripe_does_not_know_is_missing(error: stripe.StripeError) -> None:
    assert isinstance(await meant(error), ObjectMissing)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (card_error("card_declined", "insufficient_funds"), "insufficient_funds"),
        (card_error("expired_card"), "expired_card"),
    ],
)
async def test_a_decline_has_the_banks_reason(error: stripe.CardError, code: str) -> None:
    meaning = await meant(error)
    assert isinstance(meaning, CardDeclined)
    assert code == meaning.code


@pytest.mark.parametrize(
    "error",
    [
        card_error("authentication_required"),
        card_error("card_declined", "authentication_required"),
        card_error("invoice_payment_intent_requires_action"),
    ],
)
async def test_missing_authentication_is_no_decline(error: stripe.CardError) -> None:
    assert isinstance(await meant(error), CustomerNeeded)


def ended() -> dict[str, float]:
    (family,) = (one for one in REGISTRY.collect() if one.name == "billing_stripe_calls")
    return {one.labels["outcome"]: one.value for one in family.samples if one.name.endswith("_total")}


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (None, "ok"),
        (RAISED.APIConnectionError("timed out"), "unreachable"),
        (RAISED.APIError("broken", http_status=502), "server_error"),
        (RAISED.AuthenticationError("no such key", http_status=401), "key_refused"),
        (RAISED.PermissionError("no such right", http_status=403), "key_refused"),
        (RAISED.RateLimitError("slowly", http_status=429), "rate_limited"),
        (RAISED.InvalidRequestError("not like this", "id", http_status=400), "refused"),
        (RAISED.IdempotencyError("another one", http_status=400), "other"),
    ],
)
async def test_a_call_is_counted_by_whose_matter_its_end_is(error: stripe.StripeError | None, outcome: str) -> None:
    before = ended()

    with suppress(Exception):
        async with phase("a-call"):
            if error is not None:
                raise error

    assert {name for name, number in ended().items() if number > before[name]} == {outcome}
