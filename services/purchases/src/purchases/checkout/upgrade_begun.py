"""What came of the upgrade that a workspace began: still to be paid, being confirmed, there, or over."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession

from purchases.checkout import store as checkouts
from purchases.checkout.rows import CheckoutSession
from purchases.stripe_api.checkout import FAILED, UNPAID
from purchases.subscriptions import store as subscriptions
from purchases.subscriptions.plan import GRANTING
from purchases.subscriptions.rows import Subscription
from purchases.subscriptions.rules import UNCONFIRMED


class Stage(StrEnum):
    """How far an upgrade is, as far as we have heard."""

    OPEN = "open"
    """Its page can be paid on, or has been and nobody told us yet."""
    CONFIRMING = "confirming"
    """Its page is complete; of its subscription nothing was heard yet."""
    AT_THE_BANK = "at_the_bank"
    """Its page is complete, and a bank is at work on a debit, which takes days."""
    REFUSED = "refused"
    """Its page is complete, and the bank did not pay."""
    DONE = "done"
    EXPIRED = "expired"
    OVER = "over"
    """What was bought has ended since."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A Checkout of the plan, and what came of it."""

    checkout: CheckoutSession
    stage: Stage


async def upgrade_begun(*, session: AsyncSession, workspace_id: str, key: str | None) -> Begun | None:
    """The upgrade that was asked for with this key, or the last one; None where there is none. Asks Stripe nothing."""
    checkout = await (
        checkouts.of_request(session, workspace_id=workspace_id, idempotency_key=key)
        if key
        else checkouts.newest(session, workspace_id)
    )
    if checkout is None:
        return None
    owned = await subscriptions.of_workspace(session, workspace_id)
    since = [one for one in owned if one.recorded_at >= checkout.created_at]
    return Begun(checkout, stage_of(checkout, since))


def stage_of(checkout: CheckoutSession, since: Sequence[Subscription]) -> Stage:
    """`since`: the subscriptions heard of after it began, whichever of its events came first."""
    heard = [one.status for one in since if one.status != UNCONFIRMED]
    if heard:
        return Stage.DONE if GRANTING.intersection(heard) else Stage.OVER
    if checkout.state == "complete":
        return {UNPAID: Stage.AT_THE_BANK, FAILED: Stage.REFUSED}.get(checkout.payment_status or "", Stage.CONFIRMING)
    return Stage.EXPIRED if checkout.state == "expired" else Stage.OPEN
