"""Everything that waits for staff, as one list: parked facts, parked jobs, payments that fit nothing."""

import re
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ARRAY, Text, TextClause, Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database.database import wake_after_commit
from chassis.outbox import parked
from purchases.batch.references import is_uuid
from purchases.reconcile.rules import BANK_IS_SILENT, PAID_IN_PART

_ID: Final = re.compile(r"(fact|command)-([0-9]{1,18})|payment-([0-9a-f-]{36})-(in_\w{1,200})", re.ASCII)


NO_ID: Final = uuid.UUID(int=0)


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
    purchase_id: uuid.UUID = NO_ID
    invoice_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedItem:
    """One parked thing. A fact comes with its record, the others with what they are to do, or hold."""

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
    payload: dict[str, Any]
    headers: list[list[Any]] | None
    value: bytes | None
    decisions: list[dict[str, Any]]


FACTS: Final = """
    select 'fact-' || id as id, 'fact' as kind, coalesce(type, topic) as about, reason, waits_for, attempts,
        parked_at, retry_at, resolved_at, resolution,
        jsonb_build_object('topic', topic, 'partition', partition, 'offset', "offset") as payload, headers, value
    from parked where consumer = 'purchases'
"""
COMMANDS: Final = """
    select 'command-' || id as id, 'command' as kind, kind as about, last_error as reason, null as waits_for, attempts,
        ended_at as parked_at, null::timestamptz as retry_at, null::timestamptz as resolved_at, null as resolution,
        arguments || jsonb_build_object('subject', subject) as payload, null::jsonb as headers, null::bytea as value
    from stripe_commands where state = 'parked'
"""


def _decided_commands(item: str) -> str:
    """Return those about which staff decided, and whose `item` is like that."""
    return f"""
        select decided.item as id, 'command' as kind, kind as about, last_error as reason, null as waits_for, attempts,
            asked_at as parked_at, null::timestamptz as retry_at, decided.at as resolved_at,
            case state when 'discarded' then state else 'retried' end as resolution,
            arguments || jsonb_build_object('subject', subject) as payload, null::jsonb as headers, null::bytea as value
        from stripe_commands join (
            select item, substr(item, 9)::bigint as number, max(at) as at from parked_decisions
            where item {item} group by item
        ) decided on decided.number = stripe_commands.id where state <> 'parked'
    """  # noqa: S608 - this module's own texts


PAYMENTS: Final = f"""
    select 'payment-' || item.purchase_id || '-' || item.stripe_invoice_id as id, 'payment' as kind, 'payment' as about,
        item.reason, null as waits_for, 0 as attempts, item.parked_at, null::timestamptz as retry_at,
        coalesce(discarded.at, applied.recorded_at, closed.at) as resolved_at,
        case when discarded.at is not null then 'discarded' when applied.recorded_at is not null then 'applied'
            when closed.at is not null then 'closed' end as resolution,
        jsonb_build_object('purchase_id', item.purchase_id, 'stripe_invoice_id', item.stripe_invoice_id,
            'amount_paid_cents', item.amount_paid_cents, 'currency', item.currency) as payload,
        null::jsonb as headers, null::bytea as value
    from purchase_parked_payments item
    left join lateral (
        select recorded_at from purchase_payments paid
        where paid.purchase_id = item.purchase_id and paid.stripe_invoice_id = item.stripe_invoice_id
            and not (paid.returned and paid.off_stripe_cents > 0) limit 1
    ) applied on true
    left join lateral (
        select coalesce(failed_at, cancelled_at, updated_at) as at from workspace_addon_purchases sold
        where sold.id = item.purchase_id and item.reason in ('{PAID_IN_PART}', '{BANK_IS_SILENT}')
            and sold.stripe_invoice_id = item.stripe_invoice_id and not sold.payable and sold.status <> 'pending'
    ) closed on true
    left join lateral (
        select at from parked_decisions
        where parked_decisions.item = 'payment-' || item.purchase_id || '-' || item.stripe_invoice_id
            and decision = 'discard' limit 1
    ) discarded on true
    where true
"""  # noqa: S608 - this repository's own texts
"""One of an invoice that stayed open is closed with it: void, deleted, or gone. What was paid outside of Stripe for
nothing is known and stays open: only people can send it back.

Looked up row by row, as far as a page needs; no plan reads all payments to show a page of the parked ones.
"""
OPEN: Final = (FACTS, COMMANDS, PAYMENTS)
RESOLVED: Final = (FACTS, _decided_commands("like 'command-%'"), PAYMENTS)


def _decided(items: str) -> str:
    """Return each item with what staff decided about it."""
    return f"""
        select items.*, coalesce(decided.lines, '[]') as decisions from ({items}) items left join lateral (
            select jsonb_agg(jsonb_build_object('decision', decision, 'actor', actor, 'reason', reason, 'at', at)
                order by parked_decisions.id) as lines
            from parked_decisions where parked_decisions.item = items.id
        ) decided on true
    """  # noqa: S608 - this module's own texts


def _page(kinds: Sequence[str], resolved: str, *, behind: bool) -> TextClause:
    """Return the newest of each kind, by an index on `parked_at`, and of these the newest: those `behind` a place."""
    place = "and parked_at <= :since and (parked_at, id) < (:since, :before)" if behind else ""
    of_each = " union all ".join(
        f"(select * from ({kind}) kind where resolved_at {resolved} {place}"  # noqa: S608
        " order by parked_at desc fetch first (:limit) rows with ties)"
        for kind in kinds
    )
    newest = f"select * from ({of_each}) every order by parked_at desc, id desc limit :limit"  # noqa: S608
    return text(_decided(newest) + " order by parked_at desc, items.id desc")


PAGES: Final = {
    (is_open, behind): _page(OPEN if is_open else RESOLVED, "is null" if is_open else "is not null", behind=behind)
    for is_open in (True, False)
    for behind in (True, False)
}
"""By whether what is open is wanted, and whether a cursor is given."""
NAMED: Final = """
    and fact_id in (select fact_id from parked_references where reference = any(:ids))
    and (waits_for is null or waits_for <> all(:ids))
"""
OF_PURCHASE: Final = text(
    _decided(
        f"""
        {FACTS} and waits_for = any(:ids)
        union all {FACTS} {NAMED}
        union all {COMMANDS} and subject = any(:ids)
        union all {COMMANDS} and arguments ->> 'purchase_id' = any(:ids) and subject <> all(:ids)
        union all {PAYMENTS} and item.purchase_id = any(:purchase_ids)
        """
    )
    + " where resolved_at is null order by parked_at, items.id"
).bindparams(bindparam("ids", type_=ARRAY(Text)), bindparam("purchase_ids", type_=ARRAY(Uuid)))
OPEN_PAYMENTS: Final = text(f"""
    select id from (
        {PAYMENTS} and (purchase_id, stripe_invoice_id) > (:purchase_id, :invoice_id)
        order by purchase_id, stripe_invoice_id
    ) payment where resolved_at is null limit :limit
""").bindparams(bindparam("purchase_id", type_=Uuid))  # noqa: S608
ONE: Final = {
    Kind.FACT: text(_decided(f"{FACTS} and id = :number")),
    Kind.COMMAND: text(_decided(f"{COMMANDS} and id = :number union all {_decided_commands('= :item')}")),
    Kind.PAYMENT: text(
        _decided(f"{PAYMENTS} and item.purchase_id = :purchase_id and item.stripe_invoice_id = :invoice_id")
    ).bindparams(bindparam("purchase_id", type_=Uuid)),
}
"""By kind: one item, by what its id says."""
DUE_FACTS: Final = text("""
    update parked set retry_at = now() where id in (
        select id from parked where consumer = 'purchases' and resolved_at is null and id > :after
            and (cast(:about as text) is null or coalesce(type, topic) = :about)
        order by id limit :limit for update skip locked
    ) returning id
""")


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
    """Return up to `limit` items that are open, or that are resolved, the newest first, behind `after`."""
    place = {"since": after[0], "before": after[1]} if after else {}
    found = await session.execute(PAGES[is_open, after is not None], {"limit": limit, **place})
    return [ParkedItem(**row) for row in found.mappings()]


async def of_purchase(session: AsyncSession, ids: Collection[str]) -> Sequence[ParkedItem]:
    """Return what is parked about one purchase or one workspace's plan, or waits for one of its `ids`, oldest first."""
    named = {"ids": list(ids), "purchase_ids": [uuid.UUID(one) for one in ids if is_uuid(one)]}
    return [ParkedItem(**row) for row in (await session.execute(OF_PURCHASE, named)).mappings()]


async def open_payments(session: AsyncSession, *, after: str, limit: int) -> Sequence[str]:
    """Return the ids of parked payments that wait for staff, behind the item `after`, in order."""
    behind = reference_of(after) or Reference(kind=Kind.PAYMENT)
    place = {"purchase_id": behind.purchase_id, "invoice_id": behind.invoice_id}
    rows = await session.execute(OPEN_PAYMENTS, {**place, "limit": limit})
    return [str(row["id"]) for row in rows.mappings()]


async def retry_facts(session: AsyncSession, *, about: str | None, after: int, limit: int) -> Sequence[int]:
    """Make parked facts behind the id `after` due now, of the type `about` or of all; their ids, in order.

    One that is being tried at this moment is passed over: it has its turn.
    """
    bounds = {"about": about, "after": after, "limit": limit}
    due = sorted((await session.execute(DUE_FACTS, bounds)).scalars())
    if due:
        wake_after_commit(session, parked.CHANNEL)
    return due


async def find(session: AsyncSession, item_id: str) -> ParkedItem | None:
    """Return one item, parked or resolved; None for what was never parked."""
    reference = reference_of(item_id)
    if reference is None:
        return None
    row = (await session.execute(ONE[reference.kind], _named(reference, item_id))).mappings().first()
    return ParkedItem(**row) if row else None


def _named(reference: Reference, item_id: str) -> dict[str, Any]:
    match reference.kind:
        case Kind.FACT:
            return {"number": reference.number}
        case Kind.COMMAND:
            return {"number": reference.number, "item": item_id}
        case Kind.PAYMENT:
            return {"purchase_id": reference.purchase_id, "invoice_id": reference.invoice_id}
