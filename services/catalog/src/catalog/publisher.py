"""Says on billing.addon.state.v1 what an add-on is now, in the transaction that made it so."""

from sqlalchemy.ext.asyncio import AsyncSession

from catalog.tables import Addon
from chassis.outbox import publish
from contracts import AddonState


def publish_state(session: AsyncSession, addon: Addon) -> None:
    """Add the whole add-on, as of its `updated_at`, to what the transaction commits."""
    publish(session, state_of(addon), occurred_at=addon.updated_at)


def state_of(addon: Addon) -> AddonState:
    """The fact that purchases and other teams keep their copy from."""
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
