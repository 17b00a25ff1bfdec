"""Rows of `parked` that are old in different ways, for tests of what is deleted."""

import asyncio
from collections.abc import Collection
from typing import Any, Final

KEPT: Final = range(3)
"""Open for a year, resolved yesterday after a year, resolved 89 days ago."""
LONG_RESOLVED: Final = range(3, 604)
"""Resolved 91 days ago; more than a batch."""


def parked_rows(consumer: str) -> str:
    """Return the statement that makes them, each with its number as its offset."""
    return f"""
        insert into parked (consumer, fact_id, topic, partition, "offset", headers, value, reason, parked_at,
            resolved_at, resolution)
        select '{consumer}', gen_random_uuid(), 't', 0, n, '[]', 'x', 'x', now() - interval '1 year',
            case n when 0 then null else now() - case n when 1 then 1 when 2 then 89 else 91 end * interval '1 day' end,
            case n when 0 then null else 'discarded' end
        from generate_series(0, {LONG_RESOLVED.stop - 1}) as n
    """


async def until_pruned(connection: Any, gone: Collection[int]) -> None:
    """Wait until the rows `gone` are deleted, and see that the others are there."""
    async with asyncio.timeout(30):
        while await connection.fetchval('select count(*) from parked where "offset" = any($1)', list(gone)):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    rows = await connection.fetch('select "offset" from parked order by 1')
    assert [row["offset"] for row in rows] == list(KEPT)
