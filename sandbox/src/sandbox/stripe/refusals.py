"""Stripe's error answers: each constructor is one rule of https://docs.stripe.com/error-codes."""

from collections.abc import Sequence
from typing import Any

from sandbox.stripe.model import Json

DOCS = "https://stripe.com/docs/error-codes/"


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not a fault of ours
    """An error answer. `executed` is false where Stripe says that the request never began.

    Such an answer is not stored under the idempotency key (https://docs.stripe.com/api/idempotent_requests).
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        type: str = "invalid_request_error",  # noqa: A002 - Stripe's own word
        code: str | None = None,
        param: str | None = None,
        executed: bool = True,
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.executed = executed
        self.error: Json = {"message": message, "type": type, **more}
        self.error |= {"code": code, "doc_url": DOCS + code.replace("_", "-")} if code else {}
        self.error |= {"param": param} if param else {}


def missing(*, kind: str, id: str, param: str = "id") -> Refusal:  # noqa: A002
    """Name an id that Stripe does not know: 404 when it is in the path, 400 when in a parameter."""
    status = 404 if param in ("id", "intent") else 400
    label = LABELS.get(kind, kind.replace("_", ""))
    return Refusal(f"No such {label}: '{id}'", status=status, code="resource_missing", param=param)


LABELS = {
    "payment_method": "PaymentMethod",
    "invoice_payment": "invoice_payment",
    "webhook_endpoint": "webhook endpoint",
    "tax_rate": "tax rate",
}


def parameter_missing(*, param: str) -> Refusal:
    return Refusal(f"Missing required param: {param}.", code="parameter_missing", param=param, executed=False)


def parameters_unknown(*, params: Sequence[str]) -> Refusal:
    plural = "s" if len(params) > 1 else ""
    message = f"Received unknown parameter{plural}: {', '.join(params)}"
    return Refusal(message, code="parameter_unknown", param=params[0], executed=False)


def parameter_empty(*, param: str) -> Refusal:
    message = (
        f"You passed an empty string for '{param}'. We assume empty values are an attempt to unset a parameter; "
        f"however '{param}' cannot be unset. You should remove '{param}' from your request or supply a "
        "non-empty value."
    )
    return Refusal(message, code="parameter_invalid_empty", param=param, executed=False)


def parameter_invalid(message: str, *, param: str, code: str | None = None) -> Refusal:
    return Refusal(message, code=code, param=param, executed=False)


def unauthenticated(*, key: str | None) -> Refusal:
    message = (
        f"Invalid API Key provided: {key[:8]}****"
        if key
        else (
            "You did not provide an API key. You need to provide your API key in the Authorization header, using "
            "Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See "
            "https://stripe.com/docs/api#authentication for details, or we can help at https://support.stripe.com/."
        )
    )
    return Refusal(message, status=401, executed=False)


def forbidden(*, right: str) -> Refusal:
    """Refuse a restricted key that lacks `right`, in Stripe's words (stripe-node issue 2246, st-paywall issue 45)."""
    message = (
        "The provided key 'rk_test_*****x' does not have the required permissions for this endpoint on account "
        f"'acct_sandbox'. Having the '{right}' permission would allow this request to continue."
    )
    return Refusal(message, status=403, executed=False)


def unrecognised_url(*, method: str, path: str) -> Refusal:
    message = (
        f"Unrecognized request URL ({method}: {path}). Please see https://stripe.com/docs or we can help at "
        "https://support.stripe.com/."
    )
    return Refusal(message, status=404, executed=False)


def key_in_use(*, key: str) -> Refusal:
    message = (
        "There is currently another in-progress request using this Idempotent Key (that probably means you "
        f"submitted twice, and the other request is still going through): {key}. Please try again later."
    )
    return Refusal(message, status=409, type="idempotency_error", code="idempotency_key_in_use", executed=False)


def key_reused(*, key: str) -> Refusal:
    message = (
        "Keys for idempotent requests can only be used with the same parameters they were first used with. "
        f"Try using a key other than '{key}' if you meant to execute a different request."
    )
    return Refusal(message, type="idempotency_error", executed=False)


def rate_limited() -> Refusal:
    message = "Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits."
    return Refusal(message, status=429, code="rate_limit", executed=False)


def broken(*, status: int = 500, executed: bool = True) -> Refusal:
    message = "An unknown error occurred"
    return Refusal(message, status=status, type="api_error", executed=executed)
