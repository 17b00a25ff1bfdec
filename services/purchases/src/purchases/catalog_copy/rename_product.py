"""An add-on was renamed, and so is its product at Stripe."""

from purchases.catalog_copy import store as addons
from purchases.jobs.kinds import RenameProduct
from purchases.jobs.store import Task
from purchases.jobs.stripe_context import DONE, Result, StripeContext
from purchases.stripe_api.catalog.prices import name_product


async def rename_product(context: StripeContext, task: Task[RenameProduct]) -> Result:
    """Give it the name that the add-on has now; what was sold keeps the name that it was sold under."""
    addon_id = task.job.addon_id
    async with context.database.reading() as session:
        name = await addons.name_of(session, addon_id)
    if name is not None:
        await name_product(context.client, instance=context.instance, addon_id=addon_id, name=name)
    return DONE
