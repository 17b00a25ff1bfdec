"""The webhook in the OpenAPI document, written from PROBLEMS: its two paths are answered before FastAPI sees them."""

from typing import Any, Final

from fastapi import FastAPI

from chassis.web.openapi import problems
from webhook_gateway.outcomes import Outcome
from webhook_gateway.stripe_events.intake import DASHBOARD_TEST_EVENT
from webhook_gateway.webhook.answers import PROBLEMS
from webhook_gateway.webhook.asgi import PATHS

Json = dict[str, Any]

NOT_OF_A_POST: Final = frozenset({Outcome.METHOD_NOT_ALLOWED})
DESCRIPTION: Final = f"""
Takes one event as Stripe signs and sends it. `200` means that it is durable, or that nothing is to be done about it: a
type that is not handled, an event of another account, of the other mode (live or test), the Dashboard's test event
(`{DASHBOARD_TEST_EVENT}`), a thin event. Every other answer makes Stripe send the event again. The same event twice has
one effect.
""".strip().replace("\n", " ")
NAME: Final = {"type": "string", "pattern": "^[ -~]{1,255}$"}
EVENT: Final = {
    "type": "object",
    "title": "StripeEvent",
    "description": "An event as Stripe has it, of any API version; only what is read first is named here.",
    "required": ["object", "id", "type"],
    "properties": {"object": {"enum": ["event", "v2.core.event"]}, "id": NAME, "type": NAME},
    "additionalProperties": True,
    "examples": [
        {
            "object": "event",
            "id": "evt_1SVq2qLkdIwHu7ixh4Jd8f0a",
            "type": "customer.deleted",
            "api_version": "2026-06-24.dahlia",
            "created": 1772620203,
            "livemode": False,
            "data": {"object": {"object": "customer", "id": "cus_TRk7gFhYqK2m4N", "deleted": True}},
        }
    ],
}
SIGNATURE: Final[dict[str, Any]] = {
    "name": "Stripe-Signature",
    "in": "header",
    "required": True,
    "description": "Time, and HMAC-SHA256 of `{time}.{body}` under the endpoint's secret; of each while it is rotated.",
    "schema": {"type": "string", "pattern": "^t=[0-9]{1,12},v1=[0-9a-f]{64}(,v1=[0-9a-f]{64})*$"},
    "example": f"t=1772620203,v1={'5257a869e7ecebed' * 4}",
}
RECEIVED: Final = {
    "type": "object",
    "required": ["received"],
    "properties": {"received": {"const": True}},
    "examples": [{"received": True}],
}


def add_webhook(app: FastAPI) -> None:
    """Add the webhook to what `app` says of itself. Source: https://fastapi.tiangolo.com/how-to/extending-openapi/."""
    without = app.openapi

    def openapi() -> Json:
        document = without()
        shared = document["paths"]["/"]["get"]["responses"]
        for path, operation_id in PATHS.items():
            document["paths"][path] = {"post": _operation(operation_id, shared=shared)}
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def _operation(operation_id: str, *, shared: Json) -> Json:
    kinds = {problem.slug: problem for outcome, problem in PROBLEMS.items() if outcome not in NOT_OF_A_POST}
    refusals = problems(*kinds.values())
    responses = {
        "200": {"description": "Taken", "content": {"application/json": {"schema": RECEIVED}}},
        **{str(status): response for status, response in sorted(refusals.items())},
        **{status: shared[status] for status in ("4XX", "5XX")},
    }
    return {
        "summary": "Receive Webhook",
        "description": DESCRIPTION,
        "operationId": operation_id,
        "parameters": [SIGNATURE],
        "requestBody": {"required": True, "content": {"application/json": {"schema": EVENT}}},
        "responses": responses,
    }
