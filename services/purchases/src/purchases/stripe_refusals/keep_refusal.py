"""What Stripe refuses leaves a trace for staff, whatever the request was that met it."""

import uuid

from chassis.database.database import Database
from chassis.process.logs import get_logger
from purchases.stripe_api.client import StripeRefused
from purchases.stripe_refusals import store as stripe_refusals
from purchases.stripe_refusals.store import Refusal

log = get_logger(__name__)


async def keep_refusal(
    database: Database, error: StripeRefused, *, workspace_id: str, purchase_id: uuid.UUID | None = None
) -> None:
    """Store it in a transaction of its own. It is in the log already: a database that is away changes no answer."""
    refusal = Refusal(
        workspace_id=workspace_id,
        purchase_id=purchase_id,
        call=error.call,
        http_status=error.http_status,
        code=error.code,
        message=error.message,
        param=error.param,
        stripe_request_id=error.request_id,
    )
    try:
        async with database.transaction() as session:
            await stripe_refusals.keep(session, refusal)
    except Exception as fault:
        log.warning("refusal_not_kept", call=error.call, workspace=workspace_id, error=repr(fault)[:500])
