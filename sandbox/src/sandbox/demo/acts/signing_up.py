"""A workspace upgrades on Stripe's Checkout page, with add-ons on the same bill."""

from sandbox.demo.harness import Harness
from sandbox.demo.subscriber import Subscriber


async def with_a_bundle(harness: Harness) -> None:
    """Buy the plan and two add-ons in one payment; the cap that stood in the way is gone with it."""
    owner = await Subscriber.given(harness, name="Harbor")
    await owner.claims("project-1", "project-2")
    await owner.checks_out(addons=[harness.addon, harness.other])
    for purchase in await owner.purchases():
        harness.note(owner.shop, purchase["id"], answer=f"on Checkout's bill: {purchase['addon']['name']}", ends="paid")
        await harness.until(owner.shop, purchase["id"], "paid")
    await owner.claims("project-2")
    owner.ends(plan="builder", status="active")
