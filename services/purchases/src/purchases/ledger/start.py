"""How a purchase begins: its row, the first line of its history, and the fact, in one transaction."""

import uuid
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncSession

from contracts.purchase_facts import PurchaseStarted
from purchases.ledger.move import record
from purchases.ledger.publish import Cause, announce
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Status
from purchases.stripe_api.values import SoldAddon
from purchases.workspaces.rows import Workspace

BOUGHT: Final = "bought"
"""The trigger of a history's first line, which no row of TRANSITIONS has."""


def start_purchase(
    session: AsyncSession,
    *,
    workspace: Workspace,
    sold: SoldAddon,
    cause: Cause,
    idempotency_key: str,
    request_fingerprint: str,
    stripe_customer_id: str | None,
    stripe_price_id: str | None,
    stripe_subscription_id: str | None = None,
    purchase_id: uuid.UUID | None = None,
    return_url: str | None = None,
    leased_until: datetime | None = None,
    started_at: datetime | None = None,
    sequence: int = 0,
) -> Purchase:
    """Add a `pending` and `payable` purchase of the locked `workspace`, bought by `cause.actor`, and publish its start.

    Its id is a new one and its time that of `cause`, unless they are given; `sequence` is the last number that was
    published of it, by a database that is gone. Nothing is sent to the database before the
    caller's next statement or its commit, either of which raises IntegrityError where another purchase has the slot.
    """
    purchase = Purchase(
        id=purchase_id or uuid.uuid4(),
        workspace_id=workspace.id,
        workspace=workspace,
        plan_addon_id=sold.addon_id,
        addon_slug=sold.slug,
        addon_name=sold.name,
        price_cents=sold.price_cents,
        currency=sold.currency,
        status=Status.PENDING,
        payable=True,
        sequence=sequence,
        idempotency_key=idempotency_key,
        request_fingerprint=request_fingerprint,
        bought_by=cause.actor,
        return_url=return_url,
        leased_until=leased_until,
        stripe_customer_id=stripe_customer_id,
        stripe_price_id=stripe_price_id,
        stripe_subscription_id=stripe_subscription_id,
        payments=[],
        refunds=[],
        started_at=started_at or cause.at,
    )
    session.add(purchase)
    announce(session, purchase, PurchaseStarted, cause=cause)
    record(session, purchase, None, BOUGHT, cause)
    return purchase
