"""Stripe's client, and what its errors mean to us."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

import stripe
from prometheus_client import Counter
from stripe import StripeClient

from chassis.backoff import Backoff
from chassis.process.killpoints import reached
from chassis.process.logs import get_logger

log = get_logger(__name__)

TIMEOUT_SECONDS: Final = 10
MAX_NETWORK_RETRIES: Final = 2
RATE_LIMITED: Final = 429
SERVER_ERRORS: Final = 500
RATE_LIMIT_RETRIES: Final = 3
RATE_LIMIT_WAIT_SECONDS: Final = 0.5
RATE_LIMIT_LONGEST_SECONDS: Final = 4.0
REFUSED: Final = frozenset({400, 402, 404})
"""Statuses by which Stripe refuses a request for what it says. Any other one is about our key, the moment or Stripe
itself (401, 403, 409, 429, 5xx), and passes when that is mended."""
RIGHT: Final = re.compile(r"Having the '(\w{1,80})' permission", re.ASCII)
"""How Stripe's 403 names what a restricted key lacks: "Having the 'rak_customer_read' permission would allow this
request to continue." Of some rights it says only that restricted keys cannot have them."""
UNNAMED: Final = "unnamed"
FORBIDDEN: Final = Counter(
    "billing_stripe_forbidden_total", "Calls that Stripe answered 403, by the right that our key lacks.", ["right"]
)
REFUSALS: Final = Counter(
    "billing_stripe_refusals_total", "Calls that Stripe refused for what they said.", ["call", "code"]
)
CALLS: Final = Counter("billing_stripe_calls_total", "Calls to Stripe, by how they ended.", ["outcome"])
for ended in ("ok", "declined", "refused", "key_refused", "rate_limited", "server_error", "unreachable", "other"):
    CALLS.labels(ended)
RATE_LIMITS: Final = Counter(
    "billing_stripe_rate_limited_total", "Answers 429 of Stripe, also of calls that were repeated and then passed."
)
FORBIDDEN.labels(UNNAMED)
CODE: Final = re.compile(r"[a-z0-9_]{1,60}", re.ASCII)
SECRET: Final = re.compile(
    r"\b(?:[spr]k_(?:live|test)_|whsec_)[\w*+/=-]+|\b[a-z]{2,8}_(?:test_|live_)?[A-Za-z0-9]+_secret_\w+", re.ASCII
)
NEEDS_CUSTOMER_CODES: Final = frozenset(
    {
        "authentication_required",
        "invoice_payment_intent_requires_action",
        "subscription_payment_intent_requires_action",
    }
)
"""Codes of a 402 that asks for the customer, not for another card (Stripe, error codes)."""


def masked(text: str) -> str:
    """Return `text` without what may open something: keys, and the secrets of intents and sessions."""
    return SECRET.sub("[masked]", text)


class StripeRefused(Exception):  # noqa: N818 - named for what it says
    """Stripe says no for good, and it is not about the card: a permanent 4xx.

    `code`, `message`, `param` and `request_id` are Stripe's, secrets masked; `call` is ours for what was asked.
    """

    def __init__(self, error: stripe.StripeError, *, call: str = "") -> None:
        super().__init__(masked(str(error)))
        self.call = call
        self.code = error.code
        self.http_status = error.http_status
        self.message = masked(error.user_message or str(error))
        self.param: str | None = getattr(error, "param", None)
        self.request_id = error.request_id

    @property
    def reason(self) -> str:
        """Return for staff what Stripe says, of which parameter, under which code."""
        about = ", ".join(filter(None, (self.code, self.param and f"parameter {self.param}")))
        return f"{self.message} ({about})" if about else self.message


class ObjectMissing(StripeRefused):
    """Stripe has no such object."""


class OutcomeUnknown(Exception):  # noqa: N818
    """A timeout, a broken connection, a 401, 403, 409, 429, 5xx or `idempotency_error`. Never a failure.

    It may or may not have happened, now or under the same key before: it is fetched, or requested again.
    `stored`: Stripe repeats this answer for ever under the same idempotency key (5xx, or a key that was used with
    other parameters). After a search that found nothing, the next attempt needs a key of its own.
    """

    def __init__(self, reason: str, *, stored: bool = False) -> None:
        super().__init__(reason)
        self.stored = stored


class UnknownShape(OutcomeUnknown):
    """Stripe answered something that it does not document, a new status say: nobody guesses what it means.

    To a buyer it is an outcome unknown; a job that meets it is parked for staff.
    """


class CardDeclined(Exception):  # noqa: N818
    """402, and another card or more money would help. `code` is the decline code where there is one."""

    def __init__(self, error: stripe.CardError) -> None:
        super().__init__(error.user_message or str(error))
        decline_code = getattr(error.error, "decline_code", None)
        self.code: str = decline_code or error.code or "card_declined"


class CustomerNeeded(Exception):  # noqa: N818
    """402, and the bank wants the customer: authentication is missing, not money."""


def stripe_client(*, secret_key: str, api_base: str | None) -> StripeClient:
    """Return the async client: explicit timeout, retries, no telemetry; `api_base` leads to the sandbox."""
    stripe.enable_telemetry = False
    return StripeClient(
        secret_key,
        http_client=PatientClient(timeout=TIMEOUT_SECONDS),
        max_network_retries=MAX_NETWORK_RETRIES,
        base_addresses={"api": api_base} if api_base else None,
    )


@dataclass(slots=True)
class Calls:
    """What one piece of work has sent to Stripe. `answered` is called at each answer."""

    answered: Callable[[], None]
    unanswered: int = 0
    """Requests that change something and have no answer: they may be under way at Stripe, also once we gave them up."""


_CALLS: Final[ContextVar[Calls | None]] = ContextVar("calls", default=None)


@contextmanager
def watching_calls(answered: Callable[[], None]) -> Iterator[Calls]:
    """Count what the block, and what it starts, sends to Stripe."""
    calls = Calls(answered)
    token = _CALLS.set(calls)
    try:
        yield calls
    finally:
        _CALLS.reset(token)


class PatientClient(stripe.HTTPXClient):
    """Repeats a request after a 429, which Stripe answers before it does anything: the same one, under the same key.

    A few times, as long as `Retry-After` says within bounds; what is still 429 then is an outcome unknown.
    """

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        waits = Backoff(first=RATE_LIMIT_WAIT_SECONDS, limit=RATE_LIMIT_LONGEST_SECONDS)
        for _ in range(RATE_LIMIT_RETRIES):
            answer = await self._request(method, url, headers, post_data)
            if answer[1] != RATE_LIMITED:
                return answer
            RATE_LIMITS.inc()
            await asyncio.sleep(max(waits.delay(), _retry_after(answer[2])))
        return await self._request(method, url, headers, post_data)

    async def _request(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any
    ) -> tuple[bytes, int, Mapping[str, str]]:
        calls, changes = _CALLS.get(), method.lower() != "get"
        if calls:
            calls.unanswered += changes
        answer: tuple[bytes, int, Mapping[str, str]] = await super().request_async(method, url, headers, post_data)
        if calls:
            calls.unanswered -= changes  # not where it raised, or was cut off: nobody knows what became of it
            calls.answered()
        return answer


def _retry_after(headers: Mapping[str, str]) -> float:
    """Return `Retry-After` in seconds, within our bounds; a date is not read."""
    after = headers.get("retry-after", "")
    return min(float(after), RATE_LIMIT_LONGEST_SECONDS) if after.isdecimal() else 0.0


@asynccontextmanager
async def phase(name: str) -> AsyncIterator[None]:
    """Make one call: Stripe's errors become ours, and a fault test may end the process right after it.

    Raises CardDeclined, CustomerNeeded, ObjectMissing, StripeRefused or OutcomeUnknown.
    """
    try:
        yield
    except stripe.StripeError as error:
        CALLS.labels(_ending(error)).inc()
        if isinstance(error, stripe.CardError):
            reached(f"stripe.{name}")
        raise _meaning(error, name) from error
    CALLS.labels("ok").inc()
    reached(f"stripe.{name}")


def _ending(error: stripe.StripeError) -> str:
    """Return how the call ended, for the counter: by whose matter it is, the card's, ours, our key's or Stripe's."""
    status = error.http_status
    if status is None:
        return "unreachable"
    if status >= SERVER_ERRORS:
        return "server_error"
    if isinstance(error, stripe.IdempotencyError):
        return "other"
    return {402: "declined", 401: "key_refused", 403: "key_refused", RATE_LIMITED: "rate_limited"}.get(
        status, "refused" if status in REFUSED else "other"
    )


def _meaning(error: stripe.StripeError, call: str) -> Exception:
    """Return what `error` is to us: only what Stripe refuses for what the request says is refused."""
    if isinstance(error, stripe.CardError):
        return _meaning_of_402(error, call)
    if isinstance(error, stripe.InvalidRequestError) and error.http_status in REFUSED:
        missing = error.http_status == 404 or error.code == "resource_missing"
        return _refused(ObjectMissing(error, call=call) if missing else StripeRefused(error, call=call))
    if isinstance(error, stripe.PermissionError):
        _report_missing_right(error)
    repeats = (error.http_status or 0) >= SERVER_ERRORS or (
        isinstance(error, stripe.IdempotencyError) and error.http_status in REFUSED
    )
    return OutcomeUnknown(str(error) or type(error).__name__, stored=repeats)


def _meaning_of_402(error: stripe.CardError, call: str) -> Exception:
    """Return a decline, a need of the customer, or a refusal: stripe-python makes a CardError of every 402."""
    codes = {error.code, getattr(error.error, "decline_code", None)}
    if codes & NEEDS_CUSTOMER_CODES:
        return CustomerNeeded()
    kind = getattr(error.error, "type", None)
    return CardDeclined(error) if kind in (None, "card_error") else _refused(StripeRefused(error, call=call))


def _refused(error: StripeRefused) -> StripeRefused:
    """Count and log it, whatever becomes of it: some refusals are an answer that we expect."""
    code = error.code or "none"
    REFUSALS.labels(error.call, code if CODE.fullmatch(code) else "other").inc()
    log.warning(
        "stripe_refused",
        call=error.call,
        code=error.code,
        message=error.message[:500],
        param=error.param,
        http_status=error.http_status,
        request_id=error.request_id,
    )
    return error


def _report_missing_right(error: stripe.PermissionError) -> None:
    """Log and count a 403, which pages: only a person can give the key the right that it lacks."""
    named = RIGHT.search(str(error))
    right = named[1] if named else UNNAMED
    FORBIDDEN.labels(right).inc()
    log.error("stripe_forbidden", right=right, request_id=error.request_id)
