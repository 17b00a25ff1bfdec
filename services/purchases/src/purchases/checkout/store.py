"""Questions about the Checkout sessions that sell the plan."""

import uuid
from datetime import timedelta

from sqlalchemy import func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from purchases.checkout.rows import CheckoutSession
from purchases.ledger.rows import Purchase
from purchases.stripe_api.values import PlanSale
from purchases.subscriptions.rows import Subscription

LIVE = ("asking", "open")
NOT_RUNNING = ("canceled", "incomplete_expired", "incomplete")


async def find(session: AsyncSession, checkout_id: uuid.UUID) -> CheckoutSession | None:
    """Return the Checkout as it is in the database now."""
    return await session.get(CheckoutSession, checkout_id, populate_existing=True)


async def named(
    session: AsyncSession, *, stripe_session_id: str, checkout_id: uuid.UUID | None
) -> CheckoutSession | None:
    """Lock and return the Checkout of one of Stripe's sessions: by its id, or by ours, which it carries."""
    known = select(CheckoutSession).where(
        or_(
            CheckoutSession.stripe_session_id == stripe_session_id,
            (CheckoutSession.id == checkout_id) & CheckoutSession.stripe_session_id.is_(None),
        )
    )
    return (await session.execute(known.with_for_update())).scalars().first()


async def of_session(session: AsyncSession, stripe_session_id: str) -> CheckoutSession | None:
    """Return the Checkout that stored this session of Stripe's; None where no Checkout did."""
    stored = select(CheckoutSession).where(CheckoutSession.stripe_session_id == stripe_session_id)
    return (await session.execute(stored)).scalars().first()


async def of_request(session: AsyncSession, *, workspace_id: str, idempotency_key: str) -> CheckoutSession | None:
    """Return the Checkout that a request with this key began."""
    made = select(CheckoutSession).where(
        CheckoutSession.workspace_id == workspace_id, CheckoutSession.idempotency_key == idempotency_key
    )
    return (await session.execute(made)).scalar_one_or_none()


async def live(session: AsyncSession, workspace_id: str) -> CheckoutSession | None:
    """Return the workspace's Checkout on which somebody may still pay; the index allows one."""
    one = select(CheckoutSession).where(CheckoutSession.workspace_id == workspace_id, CheckoutSession.state.in_(LIVE))
    return (await session.execute(one.execution_options(populate_existing=True))).scalar_one_or_none()


async def renew_lease(session: AsyncSession, *, checkout_id: uuid.UUID, lease: timedelta) -> bool:
    """Renew the lease of the request that opens the session; False where it is decided, let go of, or over."""
    ours = (
        CheckoutSession.id == checkout_id,
        CheckoutSession.state == "asking",
        CheckoutSession.leased_until > func.now(),
    )
    renewed = update(CheckoutSession).where(*ours).values(leased_until=func.clock_timestamp() + lease)
    return (await session.execute(renewed.returning(CheckoutSession.id))).first() is not None


async def newest(session: AsyncSession, workspace_id: str) -> CheckoutSession | None:
    """Return the workspace's Checkout that was begun last, whatever became of it."""
    begun = select(CheckoutSession).where(CheckoutSession.workspace_id == workspace_id)
    return (await session.execute(begun.order_by(CheckoutSession.created_at.desc()).limit(1))).scalar_one_or_none()


async def live_of_purchase(session: AsyncSession, purchase: Purchase) -> CheckoutSession | None:
    """Return the live Checkout that sells this purchase, if there is one."""
    checkout = await live(session, purchase.workspace_id)
    return checkout if checkout is not None and str(purchase.id) in checkout.purchase_ids else None


async def runs_a_subscription(session: AsyncSession, workspace_id: str) -> bool:
    """Return whether the workspace has a subscription that has not ended; an unfinished one is none."""
    running = select(Subscription.stripe_subscription_id).where(
        Subscription.workspace_id == workspace_id, Subscription.status.not_in(NOT_RUNNING)
    )
    return (await session.execute(running.limit(1))).first() is not None


def sale_of(checkout: CheckoutSession) -> PlanSale:
    """Return the Checkout as its session at Stripe knows it."""
    return PlanSale(
        checkout_id=checkout.id,
        workspace_id=checkout.workspace_id,
        plan=checkout.plan,
        price_id=checkout.stripe_price_id,
        purchase_ids=tuple(checkout.purchase_ids),
        customer_id=checkout.stripe_customer_id,
        session_id=checkout.stripe_session_id,
        success_url=checkout.success_url,
        cancel_url=checkout.cancel_url,
        attempt=checkout.attempt,
        created_at=checkout.created_at,
        expires_at=checkout.expires_at,
    )
