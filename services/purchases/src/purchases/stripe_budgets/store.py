"""Token buckets: a workspace and a person may call Stripe so often, by whichever replica."""

import math
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

FILLED: Final = """
    least(cast(:burst as double precision), held.tokens
        + cast(:per_second as double precision) * greatest(0, extract(epoch from clock_timestamp() - held.at)))
"""
SPEND: Final = text(f"""
    insert into stripe_budgets as held (subject, tokens, at) values (:subject, :burst - 1, clock_timestamp())
    on conflict (subject) do update set tokens = {FILLED} - 1, at = clock_timestamp() where {FILLED} >= 1
    returning tokens
""")  # noqa: S608 - put together of our own text alone
LEFT: Final = text(f"select {FILLED} as tokens from stripe_budgets as held where subject = :subject")  # noqa: S608
FORGET: Final = text("""
    delete from stripe_budgets where subject in (
        select subject from stripe_budgets where at < clock_timestamp() - interval '1 day' limit 1000
        for update skip locked
    )
""")


@dataclass(frozen=True, slots=True)
class Bucket:
    """So many requests at once, and so many a minute after that."""

    burst: int
    per_minute: float


async def spend(session: AsyncSession, *, subject: str, bucket: Bucket) -> int | None:
    """Take one token of `subject`; return None when there was one, else the seconds until there is.

    Who spends of several buckets takes them in one order, since each stays locked until the transaction ends.
    """
    values = {"subject": subject, "burst": bucket.burst, "per_second": bucket.per_minute / 60}
    if (await session.execute(SPEND, values)).first() is not None:
        return None
    tokens = float((await session.execute(LEFT, values)).scalar_one_or_none() or 0)
    return max(1, math.ceil((1 - tokens) * 60 / bucket.per_minute))


async def forget_full(session: AsyncSession) -> None:
    """Drop some of the buckets that nobody took from for a day: they are full, which is what none means too."""
    await session.execute(FORGET)
