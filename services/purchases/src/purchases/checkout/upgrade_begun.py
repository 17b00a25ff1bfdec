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
    """How far an upgrade is, by the events that have come."""

    OPEN = "open"
    """Its page can be paid on, or has been and its event has not come yet."""
    CONFIRMING = "confirming"
    """Its page is complete; no event of its subscription has come yet."""
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
    """Return the upgrade that a request with this key began, or the last one, if any. Makes no call to Stripe."""
    checkout = await (
        checkouts.of_request(session, workspace_id=workspace_id, idempotency_key=key)
        if key
        else checkouts.newest(session, workspace_id)
    )
    if checkout is None:
        return None
    owned = await subscriptions.of_workspace(session, workspace_id)
    since = [row for row in owned if row.recorded_at >= checkout.created_at]
    return Begun(checkout, stage_of(checkout, since))


def stage_of(checkout: CheckoutSession, since: Sequence[Subscription]) -> Stage:
    """Return how far it is; `since`: the subscriptions stored after it began, whichever event came first."""
    statuses = [row.status for row in since if row.status != UNCONFIRMED]
    if statuses:
        return Stage.DONE if GRANTING.intersection(statuses) else Stage.OVER
    if checkout.state == "complete":
        return {UNPAID: Stage.AT_THE_BANK, FAILED: Stage.REFUSED}.get(checkout.payment_status or "", Stage.CONFIRMING)
    return Stage.EXPIRED if checkout.state == "expired" else Stage.OPEN
