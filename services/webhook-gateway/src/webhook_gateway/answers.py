"""ANSWERS: what the sender hears for each outcome, as bytes that are ready before the first request."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from chassis.problems import MEDIA_TYPE, Problem, encode
from webhook_gateway.outcomes import Outcome


class Answer(NamedTuple):
    """Two ASGI messages."""

    start: dict[str, Any]
    body: dict[str, Any]

    @property
    def status(self) -> int:
        """The HTTP status."""
        return int(self.start["status"])


def answer(status: int, content: bytes, *, content_type: str, headers: Mapping[str, str] | None = None) -> Answer:
    """Make the bytes once."""
    fields = {"content-type": content_type, "content-length": str(len(content)), "cache-control": "no-store"}
    raw = [(name.encode(), value.encode()) for name, value in (fields | dict(headers or {})).items()]
    return Answer(
        start={"type": "http.response.start", "status": status, "headers": raw},
        body={"type": "http.response.body", "body": content},
    )


def problem(status: int, slug: str, title: str, detail: str, *, headers: Mapping[str, str] | None = None) -> Answer:
    """An RFC 9457 problem."""
    members = Problem(status, slug, title, detail).members()
    return answer(status, encode(members), content_type=MEDIA_TYPE, headers=headers)


def received() -> Answer:
    """Stripe looks at the status only."""
    return answer(200, b'{"received":true}', content_type="application/json")


def refused(detail: str) -> Answer:
    """403: the request is not proven to come from Stripe."""
    return problem(403, "webhook-signature", "The webhook's signature was refused", detail)


ANSWERS: Final[Mapping[Outcome, Answer]] = {
    Outcome.PUBLISHED: received(),
    Outcome.UNRECOGNISED: received(),
    Outcome.UNHANDLED: received(),
    Outcome.WRONG_MODE: received(),
    Outcome.DASHBOARD_TEST: received(),
    Outcome.THIN: received(),
    Outcome.NO_SECRET: problem(
        403,
        "webhook-secret-missing",
        "Everything is refused",
        "This deployment has no usable signing secret.",
        headers={"connection": "close"},
    ),
    Outcome.SIGNATURE_MISSING: refused("There is no Stripe-Signature header."),
    Outcome.SIGNATURE_MALFORMED: refused("The Stripe-Signature header is malformed."),
    Outcome.SIGNATURE_STALE: refused("The signature is older than 300 seconds."),
    Outcome.SIGNATURE_FUTURE: refused("The signature is more than 300 seconds in the future."),
    Outcome.SIGNATURE_MISMATCH: refused("No signature matches the body."),
    Outcome.MALFORMED_JSON: problem(400, "malformed-json", "The body is no JSON", "It could not be parsed."),
    Outcome.NOT_AN_EVENT: problem(
        400, "malformed-event", "The body is no Stripe event", "It has no object `event`, id or type."
    ),
    Outcome.METHOD_NOT_ALLOWED: problem(
        405, "method-not-allowed", "Method not allowed", "Webhooks are sent with POST.", headers={"allow": "POST"}
    ),
    Outcome.BODY_TOO_SLOW: problem(
        408,
        "body-too-slow",
        "The body came too slowly",
        "It was not complete in 10 seconds.",
        headers={"connection": "close"},
    ),
    Outcome.BODY_TOO_LARGE: problem(
        413,
        "body-too-large",
        "The body is too large",
        "At most 524288 bytes are taken.",
        headers={"connection": "close"},
    ),
    Outcome.BROKER_UNAVAILABLE: problem(
        503,
        "broker-unavailable",
        "Not accepted yet",
        "The event could not be stored; send it again.",
        headers={"retry-after": "10"},
    ),
    Outcome.FAILED: problem(500, "internal-error", "Something went wrong", "It was logged; send the event again."),
}
