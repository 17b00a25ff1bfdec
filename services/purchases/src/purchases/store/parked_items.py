"""Everything that waits for staff, as one list: parked facts, parked commands to Stripe, payments that fit nothing."""

import re
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ARRAY, Text, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis import parked
from chassis.database import wake_after_commit

_ID: Final = re.compile(r"(fact|command)-([0-9]{1,18})|payment-([0-9a-f-]{36})-(in_\w{1,200})", re.ASCII)


class Kind(StrEnum):
    """What is parked."""

    FACT = "fact"
    COMMAND = "command"
    PAYMENT = "payment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """An item's id, read: `number` of a fact or command, purchase and invoice of a payment."""

    kind: Kind
    number: int = 0
    purchase_id: uuid.UUID | None = None
    invoice_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedItem:
    """One parked thing. A fact comes with its record, the others with what they were told to do, or hold."""

    id: str
    kind: str
    about: str
    reason: str | None
    waits_for: str | None
    attempts: int
    parked_at: datetime
    retry_at: datetime | None
    resolved_at: datetime | None
    resolution: str | None
    told: dict[str, Any]
    headers: list[list[Any]] | None
    value: bytes | None
    decisions: list[dict[str, Any]]


ITEMS: Final = """
    with items as (
        select 'fact-' || id as id, 'fact' as kind, coalesce(type, topic) as about, reason, waits_for, attempts,
            parked_at, retry_at, resolved_at, resolution,
            jsonb_build_object('topic', topic, 'partition', partition, 'offset', "offset") as told, headers, value
        from parked where consumer = 'purchases'
        union all
        select 'command-' || id, 'command', kind, last_error, null, attempts, coalesce(ended_at, asked_at), null,
            null, null, arguments || jsonb_build_object('subject', subject), null, null
        from stripe_commands where state = 'parked'
        union all
        select decided.item, 'command', kind, last_error, null, attempts, asked_at, null,
            decided.at, case state when 'discarded' then state else 'retried' end,
            arguments || jsonb_build_object('subject', subject), null, null
        from stripe_commands join (
            select item, max(at) as at from parked_decisions where item like 'command-%' group by item
        ) decided on decided.item = 'command-' || id where state <> 'parked'
        union all
        select item.id, 'payment', 'payment', item.reason, null, 0, item.parked_at, null,
            coalesce(discarded.at, applied.recorded_at),
            case when discarded.at is not null then 'discarded' when applied.recorded_at is not null then 'applied' end,
            jsonb_build_object('purchase_id', item.purchase_id, 'stripe_invoice_id', item.stripe_invoice_id,
                'amount_paid_cents', item.amount_paid_cents, 'currency', item.currency), null, null
        from (select *, 'payment-' || purchase_id || '-' || stripe_invoice_id as id from purchase_parked_payments) item
        left join purchase_payments applied using (purchase_id, stripe_invoice_id)
        left join parked_decisions discarded on discarded.item = item.id and discarded.decision = 'discard'
    )
    select items.*, coalesce(decided.lines, '[]') as decisions
    from items left join lateral (
        select jsonb_agg(jsonb_build_object('decision', decision, 'actor', actor, 'reason', reason, 'at', at)
            order by parked_decisions.id) as lines
        from parked_decisions where parked_decisions.item = items.id
    ) decided on true
"""
PAGE: Final = text(
    ITEMS
    + """
    where (resolved_at is null) = :open
        and (cast(:since as timestamptz) is null or (parked_at, items.id) < (cast(:since as timestamptz), :before))
    order by parked_at desc, items.id desc limit :limit
"""
)
OF_PURCHASE: Final = text(
    ITEMS
    + """
    where resolved_at is null
        and (waits_for = any(:ids) or told ->> 'purchase_id' = any(:ids) or told ->> 'subject' = any(:ids))
    order by parked_at, items.id
"""
).bindparams(bindparam("ids", type_=ARRAY(Text)))
OPEN_PAYMENTS: Final = text(
    ITEMS + " where kind = 'payment' and resolved_at is null and items.id > :after order by items.id limit :limit"
)
DUE_FACTS: Final = text("""
    update parked set retry_at = now() where id in (
        select id from parked where consumer = 'purchases' and resolved_at is null and id > :after
            and (cast(:about as text) is null or coalesce(type, topic) = :about)
        order by id limit :limit for update skip locked
    ) returning id
""")
ONE: Final = text(ITEMS + " where items.id = :id")


def reference_of(item_id: str) -> Reference | None:
    """Read an item's id; None for what can be no item's."""
    match = _ID.fullmatch(item_id)
    if match is None:
        return None
    kind, number, purchase, invoice = match.groups()
    if kind:
        return Reference(kind=Kind(kind), number=int(number))
    try:
        return Reference(kind=Kind.PAYMENT, purchase_id=uuid.UUID(purchase), invoice_id=invoice)
    except ValueError:
        return None


async def page(
    session: AsyncSession, *, is_open: bool, after: tuple[datetime, str] | None, limit: int
) -> Sequence[ParkedItem]:
    """Up to `limit` items that are open, or that are resolved, the newest first, behind `after`."""
    since, before = after or (None, "")
    told = {"open": is_open, "since": since, "before": before, "limit": limit}
    return [ParkedItem(**row) for row in (await session.execute(PAGE, told)).mappings()]


async def of_purchase(session: AsyncSession, ids: Collection[str]) -> Sequence[ParkedItem]:
    """What is parked about one purchase, or waits for one of its `ids`, the oldest first."""
    return [ParkedItem(**row) for row in (await session.execute(OF_PURCHASE, {"ids": list(ids)})).mappings()]


async def open_payments(session: AsyncSession, *, after: str, limit: int) -> Sequence[str]:
    """Return the ids of parked payments that wait for staff, behind the item `after`, in order."""
    rows = await session.execute(OPEN_PAYMENTS, {"after": after, "limit": limit})
    return [str(row["id"]) for row in rows.mappings()]


async def retry_facts(session: AsyncSession, *, about: str | None, after: int, limit: int) -> Sequence[int]:
    """Make parked facts behind the id `after` due now, of the type `about` or of all; their ids, in order.

    One that is being tried at this moment is passed over: it has its turn.
    """
    told = {"about": about, "after": after, "limit": limit}
    due = sorted((await session.execute(DUE_FACTS, told)).scalars())
    if due:
        wake_after_commit(session, parked.CHANNEL)
    return due


async def find(session: AsyncSession, item_id: str) -> ParkedItem | None:
    """One item, parked or resolved; None for what was never parked."""
    row = (await session.execute(ONE, {"id": item_id})).mappings().first()
    return ParkedItem(**row) if row else None
