"""Stripe's list of events, page by page, newest first; waits where Stripe says so."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

import httpx

from chassis.backoff import Backoff
from chassis.process.logs import get_logger
from stripe_reader.stripe_json import Json

log = get_logger(__name__)

STRIPE: Final = "https://api.stripe.com"
PAGE: Final = 100
"""Events; the most that Stripe gives."""
TIMEOUT_SECONDS: Final = 20.0
TRIES: Final = 8
"""About two minutes, beside what Stripe asks for."""
FIRST_WAIT_SECONDS: Final = 1.0
LONGEST_WAIT_SECONDS: Final = 60.0
RATE_LIMITED: Final = 429
SERVER_ERRORS: Final = 500


class ListUnavailable(Exception):  # noqa: N818 - named for what it says
    """Stripe does not give the list: it refuses, or did not answer TRIES times. Says why; never the key."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """From `since` until `until`, both included, in whole seconds."""

    since: datetime
    until: datetime


class Page(NamedTuple):
    """A part of the list, and whether there is more behind it."""

    events: list[Json]
    has_more: bool


class EventList:
    """The list of all events of the account, whatever their type: what was delivered and lost later is in it, too."""

    def __init__(self, client: httpx.AsyncClient, *, key: str, base: str | None = None) -> None:
        self._client = client
        self._url = f"{(base or STRIPE).rstrip('/')}/v1/events"
        self._headers = {"authorization": f"Bearer {key}"}

    async def page(self, stretch: Stretch, *, after: str | None) -> Page:
        """Return the events of the stretch that are older than `after`. Raises ListUnavailable."""
        params: dict[str, str | int] = {
            "limit": PAGE,
            "created[gte]": int(stretch.since.timestamp()),
            "created[lte]": int(stretch.until.timestamp()),
        }
        if after:
            params["starting_after"] = after
        backoff, reason = Backoff(first=FIRST_WAIT_SECONDS, limit=LONGEST_WAIT_SECONDS), ""
        for _ in range(TRIES):
            try:
                answer = await self._client.get(
                    self._url, params=params, headers=self._headers, timeout=TIMEOUT_SECONDS
                )
            except httpx.TransportError as error:
                reason, pause = repr(error), 0.0
            else:
                if answer.status_code != RATE_LIMITED and answer.status_code < SERVER_ERRORS:
                    return _page(answer)
                reason, pause = f"Stripe answers {answer.status_code}", _retry_after(answer)
            log.warning("event_list_waits", reason=reason, retry_after=pause)
            await asyncio.sleep(max(pause, backoff.delay()))
        raise ListUnavailable(reason)


def _page(answer: httpx.Response) -> Page:
    """Read the answer. Raises ListUnavailable with Stripe's own words where it refuses."""
    try:
        body: Any = answer.json()
        if answer.is_success:
            return Page(list(body["data"]), bool(body["has_more"]))
        reason = str(body["error"].get("code") or body["error"]["type"])
    except (ValueError, KeyError, TypeError, AttributeError):
        reason = "an answer that is no list"
    raise ListUnavailable(f"Stripe answers {answer.status_code}: {reason}")


def _retry_after(answer: httpx.Response) -> float:
    after = answer.headers.get("retry-after", "")
    return min(float(after), LONGEST_WAIT_SECONDS) if after.isdecimal() else 0.0
