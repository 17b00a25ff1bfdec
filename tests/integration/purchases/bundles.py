"""A signup with two add-ons: the rows that a Checkout session would be paid for, and the session, paid."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from purchases.ledger.move import record
from purchases.ledger.publish import Cause
from purchases.ledger.rows import Purchase
from purchases.ledger.start import BOUGHT
from purchases.ledger.transitions import Status
from purchases.workspaces import store as workspaces
from tests.integration.purchases.harness import INSTANCE, Harness

PRICES: Final = {"audit": 10_000, "setup": 49_900}
PLAN_CENTS: Final = 900


async def given_a_bundle(
    harness: Harness, *, card: str = "visa", workspace_id: str | None = None
) -> Sequence[Purchase]:
    """The plan and two add-ons, paid with one charge; the purchases in the order of their ids, still pending here."""
    workspace_id = workspace_id or await harness.given_a_workspace(card=None)
    purchases = await _given_rows(harness, workspace_id)
    customer = str(purchases[0].stripe_customer_id)
    session = await _open_session(harness, workspace_id, customer, purchases)
    await harness.execute(
        "update workspace_addon_purchases set stripe_checkout_session_id = :session where workspace_id = :workspace",
        session=session,
        workspace=workspace_id,
    )
    await harness.control.complete_session(session, card=card)
    return [await harness.purchase(purchase.id) for purchase in purchases]


async def given_a_signup(harness: Harness) -> None:
    """The plan alone, paid."""
    workspace_id = await harness.given_a_workspace(card=None)
    (workspace,) = await harness.rows("select stripe_customer_id from workspaces where id = :id", id=workspace_id)
    session = await _open_session(harness, workspace_id, workspace["stripe_customer_id"], [])
    await harness.control.complete_session(session)


async def invoice_of(harness: Harness) -> str:
    """The newest invoice at Stripe."""
    invoices = (await harness.control.objects(kind="invoice"))["invoice"]
    return str(invoices[-1]["id"])


async def _given_rows(harness: Harness, workspace_id: str) -> Sequence[Purchase]:
    rows = []
    for slug, price_cents in PRICES.items():
        await harness.given_an_addon(slug, price_cents=price_cents)
        price = await harness.client.v1.prices.create_async(
            {"currency": "eur", "unit_amount": price_cents, "product_data": {"name": slug}}
        )
        rows.append((slug, price_cents, price.id))
    async with harness.database.transaction() as session:
        workspace = await workspaces.lock_workspace(session, workspace_id)
        assert workspace is not None
        for slug, price_cents, price_id in rows:
            now = datetime.now(UTC)
            purchase = Purchase(
                id=uuid.uuid4(),
                workspace_id=workspace_id,
                plan_addon_id=harness.addons[slug],
                addon_slug=slug,
                addon_name=slug,
                price_cents=price_cents,
                currency="EUR",
                stripe_price_id=price_id,
                status=Status.PENDING,
                payable=True,
                sequence=1,
                idempotency_key=uuid.uuid4().hex,
                request_fingerprint="",
                bought_by="user:olga",
                stripe_customer_id=workspace.stripe_customer_id,
                started_at=now,
                updated_at=now,
            )
            session.add(purchase)
            await session.flush()
            record(session, purchase, None, BOUGHT, Cause(actor="user:olga", at=now))
    ids = await harness.rows(
        "select id from workspace_addon_purchases where workspace_id = :id order by id", id=workspace_id
    )
    return [await harness.purchase(row["id"]) for row in ids]


async def _open_session(harness: Harness, workspace_id: str, customer: str, purchases: Sequence[Purchase]) -> str:
    plan: Any = await harness.client.v1.prices.create_async(
        {
            "currency": "eur",
            "unit_amount": PLAN_CENTS,
            "recurring": {"interval": "month"},
            "product_data": {"name": "Builder"},
        }
    )
    metadata = {
        "quittance_instance": INSTANCE,
        "workspace_id": workspace_id,
        "purchase_ids": ",".join(str(purchase.id) for purchase in purchases),
    }
    bought = [{"price": purchase.stripe_price_id, "quantity": 1} for purchase in purchases]
    asked: Any = {
        "mode": "subscription",
        "customer": customer,
        "allowed_payment_method_types": ["card"],
        "line_items": [{"price": plan.id, "quantity": 1}, *bought],
        "success_url": "https://app.example/back",
        "cancel_url": "https://app.example/back",
        "metadata": metadata,
        "subscription_data": {"metadata": metadata},
    }
    return str((await harness.client.v1.checkout.sessions.create_async(asked)).id)
