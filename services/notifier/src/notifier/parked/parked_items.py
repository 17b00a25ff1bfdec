"""What the notifier has parked, mails and facts, for the people who decide about it; each decision is kept."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.outbox import parked_review
from chassis.outbox.parked_review import SetAside
from chassis.process.logs import get_logger
from notifier import mails
from notifier.mails import ParkedMail
from notifier.parked.redaction import redact_people
from notifier.tables import DECISIONS

log = get_logger(__name__)

SHOWN: Final = parked_review.SHOWN
"""Of each kind; what is decided about makes room."""
RECENT: Final = 50
ALL_AT_ONCE: Final = "all at once"
_REFERENCE: Final = re.compile(r"(mail)-([A-Za-z0-9_-]{1,1500})|(fact)-([0-9]{1,18})", re.ASCII)


class Kind(StrEnum):
    """What is parked."""

    MAIL = "mail"
    FACT = "fact"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One parked mail or fact. `reason` and `body` hold nobody's name or address."""

    id: str
    kind: Kind
    about: str
    reason: str
    attempts: int
    since: datetime
    is_open: bool
    """Whether it waits for a decision: a mail that is tried again does not."""
    retry_at: datetime | None = None
    resolved_at: datetime | None = None
    resolution: str | None = None
    purchase_id: str | None = None
    workspace_id: str | None = None
    record: str | None = None
    body: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What somebody decided about an item."""

    item: str
    decision: str
    actor: str
    reason: str | None
    at: datetime

    @property
    def about(self) -> str:
        """Return what it was decided about, as an operator names it: a mail's key, a fact's number."""
        reference = reference_of(self.item)
        return f"{reference[0]} {reference[1]}" if reference else self.item


def id_of_mail(key: str) -> str:
    """Return what staff know a mail by: its key as a path can hold it, whatever a workspace's id is made of."""
    return f"{Kind.MAIL}-{urlsafe_b64encode(key.encode()).decode().rstrip('=')}"


def reference_of(item_id: str) -> tuple[Kind, str] | None:
    """Return the kind with the mail's key or the fact's number; None for what can be no item's id."""
    found = _REFERENCE.fullmatch(item_id)
    if found is None:
        return None
    if found[3]:
        return Kind.FACT, found[4]
    try:
        key = urlsafe_b64decode(found[2] + "=" * (-len(found[2]) % 4)).decode()
    except ValueError:
        return None
    return (Kind.MAIL, key) if id_of_mail(key) == item_id and key.isprintable() else None


async def open_items(session: AsyncSession, *, consumer: str) -> list[Item]:
    """Return what waits for a decision, mails first, the oldest first, at most SHOWN of each kind."""
    waiting = [_of_mail(mail) for mail in await mails.parked_mails(session, limit=SHOWN)]
    return [*waiting, *map(_of_fact, await parked_review.set_aside(session, consumer=consumer))]


async def find(session: AsyncSession, item_id: str, *, consumer: str) -> Item | None:
    """Return one as it is now, parked or done with; None for what never was."""
    match reference_of(item_id):
        case (Kind.MAIL, key):
            mail = await mails.find(session, key)
            return _of_mail(mail) if mail else None
        case (Kind.FACT, number):
            fact = await parked_review.find(session, parked_id=int(number), consumer=consumer)
            return _of_fact(fact) if fact else None
    return None


async def retry(session: AsyncSession, item_id: str, *, consumer: str, actor: str) -> bool:
    """Have one tried again after this commit; return False where it is not parked."""
    match reference_of(item_id):
        case (Kind.MAIL, key):
            found = await mails.retry_parked(session, key)
        case (Kind.FACT, number):
            found = await parked_review.retry(session, parked_id=int(number), consumer=consumer, actor=actor)
        case _:
            found = False
    if found:
        await _record(session, [item_id], decision="retry", actor=actor, reason=None)
    return found


async def discard(session: AsyncSession, item_id: str, *, consumer: str, actor: str, reason: str) -> bool:
    """End one for good, unsent or unread; return False where it is not parked."""
    match reference_of(item_id):
        case (Kind.MAIL, key):
            found = await mails.end(session, key)
        case (Kind.FACT, number):
            found = await parked_review.discard(
                session, parked_id=int(number), consumer=consumer, actor=actor, reason=reason
            )
        case _:
            found = False
    if found:
        await _record(session, [item_id], decision="discard", actor=actor, reason=reason)
    return found


async def retry_all(session: AsyncSession, kind: Kind, *, consumer: str, actor: str) -> list[str]:
    """Have everything of `kind` that is parked tried again after this commit; return the ids."""
    if kind is Kind.MAIL:
        return await retry_all_mails(session, actor=actor)
    numbers = await parked_review.retry_all(session, consumer=consumer, actor=actor)
    tried = [f"{kind}-{number}" for number in numbers]
    await _record(session, tried, decision="retry", actor=actor, reason=ALL_AT_ONCE)
    return tried


async def retry_all_mails(session: AsyncSession, *, actor: str) -> list[str]:
    """Queue every parked mail anew; return the ids."""
    tried = [id_of_mail(key) for key in await mails.resend_parked(session)]
    await _record(session, tried, decision="retry", actor=actor, reason=ALL_AT_ONCE)
    return tried


async def resend(session: AsyncSession, key: str, *, actor: str) -> bool:
    """Queue a mail anew, also one that was sent; False when it is unknown, forgotten, or waits for its turn already."""
    found = await mails.resend(session, key)
    if found:
        await _record(session, [id_of_mail(key)], decision="resend", actor=actor, reason=None)
    return found


async def decisions(session: AsyncSession, *, item_id: str | None = None) -> list[Decision]:
    """Return what was decided about one item, or the RECENT newest decisions about any; the newest first."""
    kept = DECISIONS.c
    newest = select(kept.item, kept.decision, kept.actor, kept.reason, kept.at).order_by(kept.id.desc())
    wanted = newest.limit(RECENT) if item_id is None else newest.where(DECISIONS.c.item == item_id).limit(RECENT)
    return [Decision(**row) for row in (await session.execute(wanted)).mappings()]


async def _record(
    session: AsyncSession, items: Sequence[str], *, decision: str, actor: str, reason: str | None
) -> None:
    rows: list[dict[str, Any]] = [
        {"item": item, "decision": decision, "actor": actor, "reason": reason} for item in items
    ]
    if rows:
        await session.execute(insert(DECISIONS), rows)
        log.info("parked_items_decided", items=items[:20], number=len(items), decision=decision, actor=actor)


def _of_mail(mail: ParkedMail) -> Item:
    return Item(
        id=id_of_mail(mail.key),
        kind=Kind.MAIL,
        about=mail.letter,
        reason=redact_people(mail.last_error or ""),
        attempts=mail.attempts,
        since=mail.parked_at or mail.queued_at,
        is_open=mail.parked_at is not None,
        retry_at=mail.due_at,
        resolved_at=mail.sent_at or mail.ended_at,
        resolution="sent" if mail.sent_at else "discarded" if mail.ended_at else None,
        purchase_id=mail.purchase_id,
        workspace_id=mail.workspace_id,
    )


def _of_fact(fact: SetAside) -> Item:
    return Item(
        id=f"{Kind.FACT}-{fact.id}",
        kind=Kind.FACT,
        about=fact.type or "no fact",
        reason=redact_people(fact.reason),
        attempts=fact.attempts,
        since=fact.parked_at,
        is_open=fact.resolved_at is None,
        retry_at=fact.retry_at,
        resolved_at=fact.resolved_at,
        resolution=fact.resolution,
        record=fact.record,
        body=redact_people(fact.body),
    )
