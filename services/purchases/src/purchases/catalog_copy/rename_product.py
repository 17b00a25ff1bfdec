"""Command: an add-on was renamed, and so is its product at Stripe."""

import uuid

from purchases.catalog_copy import store as addons
from purchases.jobs.store import Command
from purchases.jobs.stripe_context import DONE, Result, StripeDesk
from purchases.stripe_api.catalog.prices import name_product


async def rename_product(desk: StripeDesk, command: Command) -> Result:
    """Give it the name that the add-on has now; what was sold keeps the name that it was sold under."""
    addon_id = uuid.UUID(command.subject)
    async with desk.database.reading() as session:
        name = await addons.name_of(session, addon_id)
    if name is not None:
        await name_product(desk.client, instance=desk.instance, addon_id=addon_id, name=name)
    return DONE
