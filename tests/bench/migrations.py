"""How long a service's migrations take on tables of a million rows, and how long they hold up who uses these.

`python -m tests.bench.migrations` fills the ledger as it was at the revision before charges had a table, and goes up.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final

import asyncpg
from alembic.script import ScriptDirectory

from chassis.database.migrations import migrate
from purchases.main import MIGRATIONS
from tests.stack.postgres import embedded_postgres

FILLED_AT: Final = "0013"
STEP: Final = 0.05
"""Seconds between two uses of a table."""
FILL: Final = (
    "insert into workspaces (id, name, owner_user_id, owner_email) values ('ws', 'Acme', 'olga', 'olga@acme.example')",
    """
    insert into workspace_addon_purchases (id, workspace_id, plan_addon_id, addon_slug, addon_name, price_cents,
        currency, status, payable, sequence, idempotency_key, request_fingerprint, bought_by, stripe_invoice_id,
        started_at, updated_at)
    select gen_random_uuid(), 'ws', gen_random_uuid(), 'setup', 'Setup', 49900, 'EUR', 'paid', false, 1,
        number::text, '', 'user:olga', 'in_' || number, now(), now()
    from generate_series(1, {rows}) as number
    """,
    """
    insert into purchase_payments (purchase_id, stripe_invoice_id, stripe_payment_intent_id, stripe_charge_id,
        paid_cents, invoice_paid_cents, shared, currency, returned, recorded_at)
    select id, stripe_invoice_id, 'pi_' || idempotency_key, 'ch_' || idempotency_key, 49900, 49900, false, 'EUR',
        false, now()
    from workspace_addon_purchases
    """,
    """
    insert into parked (consumer, fact_id, type, topic, partition, "offset", headers, reason, resolved_at)
    select 'purchases', gen_random_uuid(), 'billing.stripe.invoice_paid.v1', 'stripe', 0, number, '{{}}', 'late', now()
    from generate_series(1, {rows}) as number
    """,
    "vacuum analyze",
)
USES: Final = (
    "update workspace_addon_purchases set updated_at = now() where stripe_invoice_id = 'in_7'",
    "update purchase_payments set returned = false where stripe_invoice_id = 'in_7'",
    'insert into parked (consumer, fact_id, topic, partition, "offset", headers, reason)'
    " values ('purchases', gen_random_uuid(), 'stripe', 0, 0, '{}', 'early')",
)
"""What a worker does all the time."""


async def longest_use(url: str, ended: asyncio.Event) -> float:
    """Use the tables until `ended`; return the longest that one use took, in seconds."""
    longest, connection = 0.0, await asyncpg.connect(url)
    while not ended.is_set():
        for use in USES:
            began = time.monotonic()
            await connection.execute(use)
            longest = max(longest, time.monotonic() - began)
        await asyncio.sleep(STEP)
    await connection.close()
    return longest


async def measure(url: str, rows: int) -> None:
    """Fill the tables, and go up revision by revision."""
    await asyncio.to_thread(migrate, url=url, migrations=MIGRATIONS, revision=FILLED_AT)
    connection, began = await asyncpg.connect(url), time.monotonic()
    for statement in FILL:
        await connection.execute(statement.format(rows=rows))
    await connection.close()
    print(f"filled to {rows} rows of each table in {time.monotonic() - began:.0f} s")
    line = [script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()][::-1]
    for revision in line[line.index(FILLED_AT) + 1 :]:
        await timed(url, revision, asyncio.to_thread(migrate, url=url, migrations=MIGRATIONS, revision=revision))
    await timed(url, "an index, plain", index(url, ""))
    await timed(url, "an index, concurrently", index(url, "concurrently"))


async def timed(url: str, name: str, change: Coroutine[Any, Any, None]) -> None:
    """Print how long the change took, and the longest that anybody had to wait meanwhile."""
    ended, began = asyncio.Event(), time.monotonic()
    using = asyncio.create_task(longest_use(url, ended))
    await change
    took = time.monotonic() - began
    ended.set()
    print(f"{name:24} {took:6.1f} s, longest use of a table meanwhile {await using:6.1f} s", flush=True)


async def index(url: str, how: str) -> None:
    """Make an index of the largest table, as `create_index_concurrently` does or as it must not be done."""
    connection = await asyncpg.connect(url)
    await connection.execute("drop index if exists tried")
    await connection.execute(f"create index {how} tried on workspace_addon_purchases (bought_by, started_at)")
    await connection.close()


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as logs:
        async with embedded_postgres(Path(logs)) as server:
            await measure(await server.add_owner("purchases"), rows)


if __name__ == "__main__":
    asyncio.run(main())
