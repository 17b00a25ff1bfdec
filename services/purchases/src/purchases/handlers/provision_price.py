"""Lazy prices: the first purchase of an add-on has its price made at Stripe, and everybody is told."""

from datetime import UTC, datetime

from stripe import StripeClient

from chassis.database import Database
from chassis.logs import get_logger
from chassis.outbox import publish
from contracts import AddonPriceProvisioned
from purchases.payments.client import OutcomeUnknown, StripeRefused
from purchases.payments.prices import provide_price
from purchases.store import addons
from purchases.store.rows import Purchase

log = get_logger(__name__)


async def provision_price(*, database: Database, client: StripeClient, instance: str, purchase: Purchase) -> str | None:
    """The Stripe price of what `purchase` was sold at, kept in our copy of the catalog and told to the catalog.

    None when Stripe does not give one now: a price is a convenience, and its lack costs no sale.
    """
    try:
        price_id = await provide_price(client, instance=instance, sold=purchase)
    except (OutcomeUnknown, StripeRefused) as error:
        log.warning("price_not_provisioned", addon=str(purchase.plan_addon_id), error=repr(error))
        return None
    async with database.transaction() as session:
        sequence = await addons.keep_price(
            session,
            addon_id=purchase.plan_addon_id,
            price_cents=purchase.price_cents,
            currency=purchase.currency,
            stripe_price_id=price_id,
        )
        if sequence is not None:
            now = datetime.now(UTC)
            publish(session, _told(purchase, instance, price_id, sequence, now), occurred_at=now)
    return price_id


def _told(purchase: Purchase, instance: str, price_id: str, sequence: int, now: datetime) -> AddonPriceProvisioned:
    return AddonPriceProvisioned(
        addon_id=purchase.plan_addon_id,
        sequence=sequence,
        occurred_at=now,
        stripe_price_id=price_id,
        price_cents=purchase.price_cents,
        currency=purchase.currency,
        quittance_instance=instance,
    )
