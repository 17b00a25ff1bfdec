"""An operator's commands about what a consumer has set aside: see it, have it tried again, end it with a reason."""

from collections.abc import Sequence
from typing import Final

from chassis.database.database import Database
from chassis.outbox import parked_review

OPERATOR: Final = "operator"


async def show(database: Database, *, consumer: str) -> int:
    """Print what is set aside, with place, time and reason; return the exit status."""
    async with database.reading() as session:
        items = await parked_review.set_aside(session, consumer=consumer)
    for item in items:
        print(f"{item.id}  {item.type or 'no fact'}  {item.record}  {item.parked_at:%Y-%m-%d %H:%M:%S}  {item.reason}")
    print(f"{len(items)} facts parked" + (", and perhaps more" if len(items) == parked_review.SHOWN else ""))
    return 0


async def retry(database: Database, ids: Sequence[str], *, consumer: str) -> int:
    """Have the facts of `ids` tried again by the running process, and say so; return 1 when one is not parked."""
    async with database.transaction() as session:
        found = [
            one
            for one in ids
            if one.isdecimal()
            and await parked_review.retry(session, parked_id=int(one), consumer=consumer, actor=OPERATOR)
        ]
    return _say(ids, found, "due now")


async def discard(database: Database, ids: Sequence[str], *, consumer: str, reason: str) -> int:
    """End the facts of `ids` unapplied, and say so; return 1 when one is not parked."""
    async with database.transaction() as session:
        found = [
            one
            for one in ids
            if one.isdecimal()
            and await parked_review.discard(
                session, parked_id=int(one), consumer=consumer, actor=OPERATOR, reason=reason
            )
        ]
    return _say(ids, found, "discarded")


def _say(ids: Sequence[str], found: Sequence[str], done: str) -> int:
    for one in ids:
        print(f"{done}  {one}" if one in found else f"refused  {one}: no parked fact")
    return 0 if list(found) == list(ids) else 1
