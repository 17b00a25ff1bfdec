"""Publishes with a change what is true now, on the state topics, and records who made it so, in the audit log."""

from datetime import datetime
from typing import Final, Literal

from sqlalchemy.ext.asyncio import AsyncSession

from catalog.actors import Actor
from catalog.tables import Addon, AuditEntry, Plan
from chassis.outbox.outbox import publish
from contracts import AddonState, PlanPrice, PlanState

Action = Literal["created", "edited", "withdrawn", "price-provisioned", "refused-by-stripe"]
State = AddonState | PlanState
SHORTEST_FIRST: Final = ("month", "year")


def publish_change(
    session: AsyncSession, *, action: Action, by: Actor, before: State | None, after: State, occurred_at: datetime
) -> None:
    """Add the fact and the entry to what the transaction commits."""
    publish(session, after, occurred_at=occurred_at)
    session.add(
        AuditEntry(
            occurred_at=occurred_at,
            actor=by.name,
            actor_email=by.email,
            action=action,
            subject=subject_of(after),
            before=before.model_dump(mode="json") if before else None,
            after=after.model_dump(mode="json"),
        )
    )


def subject_of(state: State) -> str:
    """Return what the audit log files a change under."""
    kind = "addon" if isinstance(state, AddonState) else "plan"
    return f"{kind}:{state.subject}"


def addon_state(addon: Addon) -> AddonState:
    """Return the fact that purchases and other teams keep their copy from."""
    return AddonState(
        addon_id=addon.id,
        sequence=addon.sequence,
        occurred_at=addon.updated_at,
        slug=addon.slug,
        name=addon.name,
        description=addon.description,
        bullets=tuple(addon.bullets or ()),
        price_cents=addon.price_cents,
        currency=addon.currency,
        stripe_price_id=addon.stripe_price_id,
        is_active=addon.is_active,
        sort_order=addon.sort_order,
    )


def plan_state(plan: Plan) -> PlanState:
    """Return a plan's fact; resources by name, prices by currency, the month before the year."""
    return PlanState(
        plan=plan.slug,
        sequence=plan.sequence,
        occurred_at=plan.updated_at,
        name=plan.name,
        caps=dict(sorted(plan.caps.items())),
        prices=tuple(
            PlanPrice(
                interval="year" if price.interval == "year" else "month",
                currency=price.currency,
                price_cents=price.price_cents,
                stripe_price_id=price.stripe_price_id,
                pending_price_cents=price.pending_price_cents,
            )
            for price in sorted(plan.prices, key=lambda price: (price.currency, SHORTEST_FIRST.index(price.interval)))
        ),
        stripe_product_id=plan.stripe_product_id,
    )
