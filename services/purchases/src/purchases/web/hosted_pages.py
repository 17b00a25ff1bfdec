"""Stripe's hosted pages for a workspace's people, as the API and our own pages ask for them."""

from datetime import timedelta

from stripe import StripeClient

from chassis.database.database import Database
from chassis.web.auth import Caller
from purchases.checkout.open_checkout import CheckoutContext, Opened, open_checkout
from purchases.checkout.start_checkout import Upgrade
from purchases.settings import Settings
from purchases.web.requests import allowed_url
from purchases.web.session_bodies import CheckoutSessionBody
from purchases.workspaces.rows import Workspace


async def open_plan_checkout(
    workspace: Workspace,
    body: CheckoutSessionBody,
    *,
    key: str,
    caller: Caller,
    database: Database,
    client: StripeClient,
    settings: Settings,
) -> Opened:
    """Return the page where the plan is bought, alone or with add-ons. Raises Problem."""
    upgrade = Upgrade(
        workspace_id=workspace.id,
        plan=body.plan,
        interval=body.interval,
        currency=body.currency,
        addons=tuple(body.addons),
        success_url=allowed_url(body.success_url, settings),
        cancel_url=allowed_url(body.cancel_url, settings),
        idempotency_key=key,
        buyer=f"user:{caller.subject}",
    )
    lease = timedelta(seconds=settings.purchase_lease_seconds)
    return await open_checkout(
        CheckoutContext(database=database, client=client, instance=settings.quittance_instance, lease=lease), upgrade
    )
