"""Pending purchases put straight into the ledger, as `buy` leaves them, and how many of them have been paid."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

import asyncpg

from tests.bench.webhooks import PRICE_CENTS, Sale

WORKSPACE: Final = ("id", "name", "owner_user_id", "owner_email", "stripe_customer_id")
PURCHASE: Final = (
    "id",
    "workspace_id",
    "plan_addon_id",
    "addon_slug",
    "addon_name",
    "price_cents",
    "currency",
    "status",
    "payable",
    "sequence",
    "idempotency_key",
    "request_fingerprint",
    "bought_by",
    "stripe_customer_id",
    "stripe_invoice_id",
    "stripe_payment_intent_id",
    "started_at",
    "updated_at",
)
CHANGED: Final = """
    select (select count(*) from inbox) as inbox,
           (select count(*) from workspace_addon_purchases where status = 'paid') as ledger,
           (select count(*) from purchase_payments) as money,
           (select count(*) from purchase_charges) as charges,
           (select count(*) from purchase_transitions) as history
"""


async def given_pending(connection: Any, sales: Sequence[Sale]) -> None:
    """One workspace and one pending purchase for each sale, counted for the planner."""
    await put(connection, sales)
    await connection.execute("analyze workspaces, workspace_addon_purchases")


async def put(connection: Any, sales: Sequence[Sale]) -> None:
    """Write the rows of `sales`."""
    await connection.copy_records_to_table("workspaces", records=map(_workspace, sales), columns=WORKSPACE)
    addon, now = uuid4(), datetime.now(UTC)
    purchases = [_purchase(sale, addon, now) for sale in sales]
    await connection.copy_records_to_table("workspace_addon_purchases", records=purchases, columns=PURCHASE)


async def changed(connection: Any) -> dict[str, int]:
    """The rows that facts have left, by what they are."""
    return dict(await connection.fetchrow(CHANGED))


async def connect(url: str) -> Any:
    """One connection of ours."""
    return await asyncpg.connect(url)


def _workspace(sale: Sale) -> tuple[object, ...]:
    return sale.workspace_id, "Northwind", f"user-{sale.workspace_id}", "olivia@northwind.example", sale.customer_id


def _purchase(sale: Sale, addon: object, now: datetime) -> tuple[object, ...]:
    sold = (addon, "professional-ai-setup", "Professional AI Setup", PRICE_CENTS, "EUR")
    asked = (sale.purchase_id.hex, "0" * 64, f"user:user-{sale.workspace_id}")
    stripe = (sale.customer_id, sale.invoice_id, sale.intent_id)
    return sale.purchase_id, sale.workspace_id, *sold, "pending", True, 1, *asked, *stripe, now, now
