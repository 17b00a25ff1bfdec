"""The rows that a batch of payment facts leaves, written by asyncpg alone: what the worker is held against.

The same tables, the same number of rows, in transactions of BATCH facts; everything is computed beforehand.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid4

from contracts import seal
from contracts.purchase_facts import PurchasePaid, PurchaseState, SoldAddon
from contracts.topics import TOPICS
from tests.bench.webhooks import PRICE_CENTS, Sale

BATCH: Final = 500
INBOX: Final = """
    insert into inbox (consumer, fact_id) select 'purchases', * from unnest($1::uuid[])
    on conflict do nothing returning fact_id
"""
LEDGER: Final = """
    update workspace_addon_purchases
    set status = 'paid', payable = false, paid_cents = $2, paid_at = $3, updated_at = $3, sequence = sequence + 1
    where id = any($1::uuid[])
"""
MONEY: Final = """
    insert into purchase_payments
        (purchase_id, stripe_invoice_id, paid_cents, invoice_paid_cents, shared, currency, returned, recorded_at)
    select purchase, invoice, $3, $3, false, 'EUR', false, $4
    from unnest($1::uuid[], $2::text[]) as paid (purchase, invoice)
"""
CHARGES: Final = """
    insert into purchase_charges
        (purchase_id, stripe_invoice_id, number, stripe_payment_intent_id, amount_cents, amount_told, refunded_cents)
    select purchase, invoice, 1, intent, $4, false, 0
    from unnest($1::uuid[], $2::text[], $3::text[]) as charged (purchase, invoice, intent)
"""
HISTORY: Final = """
    insert into purchase_transitions
        (purchase_id, sequence, from_status, to_status, trigger, stale, actor, stripe_event_id, at)
    select purchase, 2, 'pending', 'paid', 'payment_succeeded', false, 'stripe', event, $3
    from unnest($1::uuid[], $2::text[]) as moved (purchase, event)
"""
OUTBOX: Final = """
    insert into outbox (fact_id, topic, key, headers, payload)
    select * from unnest($1::uuid[], $2::text[], $3::text[], $4::jsonb[], $5::bytea[])
"""


@dataclass(frozen=True, slots=True)
class Prepared:
    """The arguments of one transaction."""

    facts: list[UUID]
    purchases: list[UUID]
    invoices: list[str]
    intents: list[str]
    events: list[str]
    outbox: list[list[Any]]
    at: datetime


def prepare(sales: Sequence[Sale]) -> list[Prepared]:
    """Batches of BATCH, with two facts for each sale."""
    return [_prepared(sales[start : start + BATCH]) for start in range(0, len(sales), BATCH)]


async def write(connection: Any, batches: Sequence[Prepared]) -> None:
    """One transaction for each."""
    for batch in batches:
        async with connection.transaction():
            await connection.fetch(INBOX, batch.facts)
            await connection.execute(LEDGER, batch.purchases, PRICE_CENTS, batch.at)
            await connection.execute(MONEY, batch.purchases, batch.invoices, PRICE_CENTS, batch.at)
            await connection.execute(CHARGES, batch.purchases, batch.invoices, batch.intents, PRICE_CENTS)
            await connection.execute(HISTORY, batch.purchases, batch.events, batch.at)
            await connection.execute(OUTBOX, *batch.outbox)


def _prepared(sales: Sequence[Sale]) -> Prepared:
    now = datetime.now(UTC)
    rows = [row for sale in sales for row in _outbox_rows(sale, now)]
    return Prepared(
        facts=[uuid4() for _ in sales],
        purchases=[sale.purchase_id for sale in sales],
        invoices=[sale.invoice_id for sale in sales],
        intents=[sale.intent_id for sale in sales],
        events=[sale.event_id for sale in sales],
        outbox=[list(column) for column in zip(*rows, strict=True)],
        at=now,
    )


def _outbox_rows(sale: Sale, now: datetime) -> list[tuple[Any, ...]]:
    members = {
        "purchase_id": sale.purchase_id,
        "sequence": 2,
        "occurred_at": now,
        "workspace_id": sale.workspace_id,
        "workspace_name": "Northwind",
        "owner_email": "olivia@northwind.example",
        "addon": SoldAddon(id=uuid4(), slug="professional-ai-setup", name="Professional AI Setup"),
        "price_cents": PRICE_CENTS,
        "currency": "EUR",
        "status": "paid",
        "actor": "stripe",
        "stripe_event_id": sale.event_id,
        "paid_cents": PRICE_CENTS,
        "stripe_invoice_id": sale.invoice_id,
        "refunded_cents": 0,
        "started_at": now,
        "updated_at": now,
        "paid_at": now,
    }
    facts = (PurchasePaid.model_validate(members), PurchaseState.model_validate(members))
    return [_outbox_row(fact, now) for fact in facts]


def _outbox_row(fact: PurchasePaid | PurchaseState, now: datetime) -> tuple[Any, ...]:
    headers = {name: value.decode() for name, value in seal(fact, occurred_at=now).to_headers()}
    payload = fact.model_dump_json().encode()
    return fact.id, TOPICS[type(fact)].name, fact.key, json.dumps(headers), payload
