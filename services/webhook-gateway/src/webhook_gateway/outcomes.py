"""How a webhook request can end: the words that are counted, and that the answers and the log go by."""

from enum import StrEnum
from typing import Final

NO_TYPE: Final = "none"
"""The `type` label of a request whose event type is not known, or not to be believed."""


class Outcome(StrEnum):
    """How one request ended; the `outcome` label of `billing_webhooks_total`."""

    PUBLISHED = "published"
    UNRECOGNISED = "unrecognised"
    UNHANDLED = "unhandled"
    WRONG_MODE = "wrong-mode"
    OTHER_ACCOUNT = "other-account"
    DASHBOARD_TEST = "dashboard-test"
    THIN = "thin"
    NO_SECRET = "no-secret"  # noqa: S105 - a word, no secret
    SIGNATURE_MISSING = "signature-missing"
    SIGNATURE_MALFORMED = "signature-malformed"
    SIGNATURE_STALE = "signature-stale"
    SIGNATURE_FUTURE = "signature-future"
    SIGNATURE_MISMATCH = "signature-mismatch"
    MALFORMED_JSON = "malformed-json"
    NOT_AN_EVENT = "not-an-event"
    METHOD_NOT_ALLOWED = "method-not-allowed"
    BODY_TOO_SLOW = "body-too-slow"
    BODY_TOO_LARGE = "body-too-large"
    BROKER_UNAVAILABLE = "broker-unavailable"
    SENDER_GONE = "sender-gone"
    FAILED = "failed"
