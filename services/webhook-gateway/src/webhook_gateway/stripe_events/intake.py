"""From the bytes of a verified body to what becomes of them: pure, so that `backfill` can do the same."""

from enum import StrEnum
from typing import Any, Final, NamedTuple

import orjson

from contracts.stripe_facts import UnrecognisedEvent
from stripe_reader.stripe_json import LONGEST_ID, Json
from webhook_gateway.outcomes import Outcome
from webhook_gateway.stripe_events.normalisers import NORMALISERS, normalise
from webhook_gateway.stripe_events.records import LONGEST_VALUE, Record, record_of
from webhook_gateway.stripe_events.unrecognised import unrecognised

DASHBOARD_TEST_EVENT: Final = "evt_00000000000000"
"""The id of every event that the Dashboard's "send test webhook" makes up; its objects do not exist."""
LONGEST_SHOWN: Final = 100
"""Characters of a foreign account's name that are logged."""


class Whose(StrEnum):
    """What the envelope says."""

    OURS = "ours"
    FOREIGN = "foreign"
    UNCHECKED = "unchecked"
    """It names a context, and no setting says which is ours."""


class Intake(NamedTuple):
    """One verified event: who it is, what becomes of it, and the record to publish if there is one."""

    event_id: str
    event_type: str
    outcome: Outcome
    record: Record | None = None
    whose: Whose = Whose.OURS
    account: str | None = None
    """What its envelope names, where that is foreign or could not be checked."""


class MalformedBody(ValueError):  # noqa: N818 - named for what it says
    """The body is no JSON."""


class NotAnEvent(ValueError):  # noqa: N818 - named for what it says
    """The body is JSON, but no Stripe event: it has no `object: event`, id or type."""


def take_in(
    *,
    body: bytes,
    livemode: bool,
    received_at: float,
    account_id: str | None = None,
    traceparent: bytes | None = None,
) -> Intake:
    """Decide on one verified body. Raises MalformedBody or NotAnEvent.

    `livemode` and `account_id` are this deployment's, `received_at` Unix seconds, `traceparent` the request's, to be
    carried on.
    """
    event = _event(body)
    whose = whose_event(event, account_id=account_id)
    intake = _of_foreign(event) if whose is Whose.FOREIGN else _of_ours(event, body, livemode, received_at, traceparent)
    if whose is Whose.OURS:
        return intake
    return intake._replace(whose=whose, account=other_account(event, account_id=account_id))


def whose_event(event: Json, *, account_id: str | None) -> Whose:
    """Return whose event it is; for what a webhook brings and for what is fetched from Stripe's list of events.

    An account's own events name nothing. A connected account's name it in `account`, and since 2025-04-30.basil in
    `context` too; an organization's endpoint receives `context` alone.
    Source: https://docs.stripe.com/changelog/basil/2025-04-30/additional-context-organization-events.
    """
    account, context = event.get("account"), event.get("context")
    if account is None and context is None:
        return Whose.OURS
    if account_id is None:
        return Whose.UNCHECKED if account is None else Whose.FOREIGN
    return Whose.OURS if account in (None, account_id) and context in (None, account_id) else Whose.FOREIGN


def other_account(event: Json, *, account_id: str | None) -> str | None:
    """Return what the envelope names that is not `account_id`, for a log line; None where nothing could be shown."""
    named = next(
        (name for name in (event.get("account"), event.get("context")) if name not in (None, account_id)), None
    )
    return named[:LONGEST_SHOWN] if isinstance(named, str) and named.isprintable() else None


def _of_foreign(event: Json) -> Intake:
    """Drop it, whatever it is about: another account's objects, of which none is ours."""
    return Intake(event["id"], event["type"], Outcome.OTHER_ACCOUNT)


def _of_ours(event: Json, body: bytes, livemode: bool, received_at: float, traceparent: bytes | None) -> Intake:
    if (ignored := _ignored(event, livemode=livemode)) is not None:
        return Intake(event["id"], event["type"], ignored)
    fact = normalise(event=event, body=body, received_at=received_at)
    record = record_of(fact, traceparent=traceparent)
    if len(record.value) > LONGEST_VALUE:
        fact = unrecognised(event=event, body=body, reason="larger than a Kafka record", received_at=received_at)
        record = record_of(fact, traceparent=traceparent)
    outcome = Outcome.UNRECOGNISED if fact.kind is UnrecognisedEvent else Outcome.PUBLISHED
    return Intake(event["id"], event["type"], outcome, record)


def _event(body: bytes) -> Json:
    try:
        event: Any = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise MalformedBody(str(error)) from None
    if not isinstance(event, dict) or event.get("object") not in ("event", "v2.core.event"):
        raise NotAnEvent("object is not event")
    if not _is_name(event.get("id")) or not _is_name(event.get("type")):
        raise NotAnEvent("id or type is missing")
    return event


def _ignored(event: Json, *, livemode: bool) -> Outcome | None:
    """Return how an event ends that is answered with 200 and not published (SPEC §4); None for one to publish."""
    if _is_thin(event):
        return Outcome.THIN
    if event["id"] == DASHBOARD_TEST_EVENT:
        return Outcome.DASHBOARD_TEST
    if event.get("livemode") is (not livemode):
        return Outcome.WRONG_MODE
    return None if event["type"] in NORMALISERS else Outcome.UNHANDLED


def _is_thin(event: Json) -> bool:
    """Return whether it names its object instead of showing it. Source: https://docs.stripe.com/event-destinations#thin-events."""
    return event["object"] != "event" or (event.get("data") is None and isinstance(event.get("related_object"), dict))


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_ID and value.isascii() and value.isprintable()
