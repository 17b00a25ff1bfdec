"""Publishes once more what Kafka had: byte for byte what is kept of it, and the state of a purchase of before."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Text, cast, func, select

from chassis.database.database import Database
from chassis.replay.sent_facts import send_again
from contracts import PURCHASE_STATE
from purchases.ledger import store as ledger
from purchases.ledger.publish import Cause, announce_state
from purchases.ledger.rows import Purchase
from purchases.tables import SENT_FACTS

AT_ONCE: Final = 100
WHY: Final = "published again: Kafka had lost it"


async def republish_all(database: Database, *, since: timedelta) -> tuple[int, int]:
    """Send again what was sent within `since`, and announce every other purchase; return how many of each."""
    older = await _without_a_kept_state(database, since)
    sent = await send_again(database, since=since)
    for start in range(0, len(older), AT_ONCE):
        await _announce(database, older[start : start + AT_ONCE])
    return sent, len(older)


async def _without_a_kept_state(database: Database, since: timedelta) -> Sequence[UUID]:
    """Return the purchases whose last state is not among what is sent again."""
    kept = select(SENT_FACTS.c.id).where(
        SENT_FACTS.c.topic == PURCHASE_STATE.name,
        SENT_FACTS.c.key == cast(Purchase.id, Text),
        SENT_FACTS.c.sent_at >= func.clock_timestamp() - since,
    )
    async with database.reading() as session:
        return (await session.scalars(select(Purchase.id).where(~kept.exists()).order_by(Purchase.id))).all()


async def _announce(database: Database, purchase_ids: Sequence[UUID]) -> None:
    """Publish their states under new numbers: readers that know the last one take it as its repetition."""
    cause = Cause(actor="quittance", at=datetime.now(UTC), reason=WHY)
    async with database.transaction() as session:
        for purchase in (await ledger.lock_purchases(session, purchase_ids)).values():
            announce_state(session, purchase, cause=cause)
