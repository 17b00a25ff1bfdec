"""A workspace upgrades on Stripe's Checkout page, with add-ons on the same bill."""

from sandbox.demo.harness import Stage
from sandbox.demo.subscriber import Subscriber


async def with_a_bundle(stage: Stage) -> None:
    """The plan and two add-ons in one payment; the cap that stood in the way is gone with it."""
    owner = await Subscriber.given(stage, name="Harbor")
    await owner.claims("project-1", "project-2")
    await owner.checks_out(addons=[stage.addon, stage.other])
    for purchase in await owner.purchases():
        stage.note(owner.shop, purchase["id"], answer=f"on Checkout's bill: {purchase['addon']['name']}", ends="paid")
        await stage.until(owner.shop, purchase["id"], "paid")
    await owner.claims("project-2")
    owner.ends(plan="builder", status="active")
