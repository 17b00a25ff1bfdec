"""The billing page as somebody reads it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from tests.integration.permissions.matrix import CALLERS, OWN
from tests.integration.purchases.harness import Harness
from tests.integration.purchases.subscribers import Subscriber, given_a_subscriber, given_the_plans
from tests.integration.purchases_pages.conftest import Site
from tests.integration.purchases_pages.reading import Page

ENDS: Final = datetime(2031, 3, 4, 12, tzinfo=UTC)


UPGRADE: Final = "Go to checkout"


MANAGE: Final = "Manage subscription"


def here(workspace_id: str) -> str:
    return f"/app/{workspace_id}/settings/billing"


async def on_free(harness: Harness, workspace_id: str | None = None) -> str:
    await given_the_plans(harness)
    return await harness.given_a_workspace(None, workspace_id)


async def subscribed(harness: Harness, **changes: object) -> Subscriber:
    """With the stored subscription changed as Stripe's word would."""
    subscriber = await given_a_subscriber(harness)
    await subscriber.subscribe()
    await subscriber.hear()
    changes = {"current_period_end": ENDS} | changes
    columns = ", ".join(f"{name} = :{name}" for name in changes)
    await harness.execute(f"update subscriptions set {columns}", **changes)
    return subscriber


async def seen(site: Site, workspace_id: str, caller: str = "owner", **headers: str) -> Page:
    claims = CALLERS[caller] if workspace_id == OWN else {"sub": "olga", "workspaces": {workspace_id: "owner"}}
    return await site.visitor(claims, **headers).open(here(workspace_id))


def buttons(page: Page) -> Sequence[str]:
    """What can be pressed, but for signing out."""
    return [button for form in page.forms for button in form.buttons if button != "Sign out"]
