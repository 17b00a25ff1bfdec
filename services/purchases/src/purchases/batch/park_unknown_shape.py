"""An object of Stripe's that nobody understands: parked with its body, as its event would be, once."""

from typing import Any

from chassis.process.logs import get_logger
from purchases.batch.context import BatchContext
from purchases.batch.fetched_facts import received_from_stripe, unrecognised_fact
from purchases.batch.waiting import is_set_aside
from purchases.stripe_api.client import UnknownShape

log = get_logger(__name__)


async def park_unknown_shape(context: BatchContext, thing: Any, kind: str, error: UnknownShape) -> None:
    """Park the object, unless one of its events was parked for the same."""
    found = received_from_stripe(unrecognised_fact(thing, kind, error))
    log.error("not_understood", kind=kind, object=thing.id, reason=str(error))
    if not await is_set_aside(context.session, found):
        await context.park(found, reason=f"unknown shape: {error}")
