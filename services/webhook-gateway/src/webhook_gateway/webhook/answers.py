"""ANSWERS: what the sender is answered for each outcome, as bytes that are ready before the first request."""

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
        """Return the HTTP status."""
        return int(self.start["status"])


def answer(status: int, content: bytes, *, content_type: str, headers: Mapping[str, str]) -> Answer:
    """Make the bytes once."""
    fields = {"content-type": content_type, "content-length": str(len(content)), "cache-control": "no-store"}
    raw = [(name.encode(), value.encode()) for name, value in (fields | dict(headers)).items()]
    return Answer(
        start={"type": "http.response.start", "status": status, "headers": raw},
        body={"type": "http.response.body", "body": content},
    )


def received() -> Answer:
    """Return a 200; Stripe reads the status only."""
    return answer(200, RECEIVED, content_type="application/json", headers={})


def refused(problem: Problem) -> Answer:
    """Return an RFC 9457 problem as an answer."""
    return answer(problem.status, encode(problem.members()), content_type=MEDIA_TYPE, headers=problem.headers)


def _unproven(detail: str) -> Problem:
    return Problem(403, "webhook-signature", "The webhook's signature was refused", detail)


RECEIVED: Final = b'{"received":true}'
CLOSING: Final = {"connection": "close"}

PROBLEMS: Final[Mapping[Outcome, Problem]] = {
    Outcome.NO_SECRET: Problem(
        403,
        "webhook-secret-missing",
        "Everything is refused",
        "This deployment has no usable signing secret.",
        headers=CLOSING,
    ),
    Outcome.SIGNATURE_MISSING: _unproven("There is no Stripe-Signature header."),
    Outcome.SIGNATURE_MALFORMED: _unproven("The Stripe-Signature header is malformed."),
    Outcome.SIGNATURE_STALE: _unproven("The signature is older than 300 seconds."),
    Outcome.SIGNATURE_FUTURE: _unproven("The signature is more than 300 seconds in the future."),
    Outcome.SIGNATURE_MISMATCH: _unproven("No signature matches the body."),
    Outcome.MALFORMED_JSON: Problem(400, "malformed-json", "The body is no JSON", "It could not be parsed."),
    Outcome.NOT_AN_EVENT: Problem(
        400, "malformed-event", "The body is no Stripe event", "It has no object `event`, id or type."
    ),
    Outcome.METHOD_NOT_ALLOWED: Problem(
        405, "method-not-allowed", "Method not allowed", "Webhooks are sent with POST.", headers={"allow": "POST"}
    ),
    Outcome.BODY_TOO_SLOW: Problem(
        408, "body-too-slow", "The body came too slowly", "It was not complete in 10 seconds.", headers=CLOSING
    ),
    Outcome.BODY_TOO_LARGE: Problem(
        413, "body-too-large", "The body is too large", "At most 524288 bytes are taken.", headers=CLOSING
    ),
    Outcome.BROKER_UNAVAILABLE: Problem(
        503,
        "broker-unavailable",
        "Not accepted yet",
        "The event could not be stored; send it again.",
        headers={"retry-after": "10"},
    ),
    Outcome.FAILED: Problem(500, "internal-error", "Something went wrong", "It was logged; send the event again."),
}
"""What the sender is answered where nothing was taken."""

ANSWERS: Final[Mapping[Outcome, Answer]] = {
    Outcome.PUBLISHED: received(),
    Outcome.UNRECOGNISED: received(),
    Outcome.UNHANDLED: received(),
    Outcome.WRONG_MODE: received(),
    Outcome.OTHER_ACCOUNT: received(),
    Outcome.DASHBOARD_TEST: received(),
    Outcome.THIN: received(),
    **{outcome: refused(problem) for outcome, problem in PROBLEMS.items()},
}
