"""What a workspace's billing page shows: plan, subscription, caps and usage, prices."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from purchases.caps import store as resources
from purchases.caps.claim_resource import known_plans
from purchases.catalog_copy.rows import Plan
from purchases.subscriptions import store as subscriptions
from purchases.subscriptions.plan import BUILDER, Usage, caps_of, usages
from purchases.subscriptions.rows import Subscription
from purchases.subscriptions.rules import ENDED, OWING, UNCONFIRMED
from purchases.workspaces.rows import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Billing:
    """The plan of a workspace as it is now."""

    workspace: Workspace
    plan: Plan
    on_offer: Plan | None
    """The plan that can be paid for."""
    subscription: Subscription | None
    """The one that runs, else the last one that ended."""
    is_subscribed: bool
    """A subscription runs, which keeps the workspace from buying another one; an unfinished one does not."""
    usage: Sequence[Usage]

    @property
    def is_past_due(self) -> bool:
        """Return whether a renewal could not be charged: the owner should look at the card."""
        return self.subscription is not None and self.subscription.status in OWING


async def read_billing(*, session: AsyncSession, workspace: Workspace) -> Billing:
    """Read it for the billing page. Raises Problem 503 before the catalog has published its plans."""
    known = await known_plans(session, workspace.plan)
    caps = caps_of(workspace.plan, plans={slug: plan.caps for slug, plan in known.items()})
    owned = await subscriptions.of_workspace(session, workspace.id)
    return Billing(
        workspace=workspace,
        plan=known[workspace.plan],
        on_offer=known.get(BUILDER),
        subscription=_shown(owned),
        is_subscribed=any(row.status not in ENDED and row.status != UNCONFIRMED for row in owned),
        usage=usages(caps, used=await resources.counts(session, workspace.id)),
    )


def _shown(owned: Sequence[Subscription]) -> Subscription | None:
    running = [row for row in owned if row.status not in ENDED and not row.is_extra]
    return next(iter(running), None) or next(iter(reversed(owned)), None)
