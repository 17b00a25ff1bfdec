"""An object of Stripe's that nobody understands: parked with its body, as its event would be, once."""

from typing import Any

from chassis.logs import get_logger
from purchases.handlers.at_stripe.found_at_stripe import received, unrecognised_fact
from purchases.handlers.steps.work import Work
from purchases.payments.client import UnknownShape
from purchases.store.waiting import is_set_aside

log = get_logger(__name__)


async def set_unknown_aside(work: Work, thing: Any, kind: str, error: UnknownShape) -> None:
    """Park the object, unless one of its events was parked for the same."""
    found = received(unrecognised_fact(thing, kind, error))
    log.error("not_understood", kind=kind, object=thing.id, reason=str(error))
    if not await is_set_aside(work.session, found):
        await work.park(found, reason=f"unknown shape: {error}")
