"""What Stripe does not settle is asked about ever more seldom."""

import pytest

from purchases.jobs.kinds import VoidInvoice
from purchases.jobs.store import enqueue
from tests.integration.purchases.checkouts import (
    BUNDLE,
    open_page,
    purchases_of,
    upgrade,
)
from tests.integration.purchases.harness import DEBIT, Harness


async def _pauses(harness: Harness, kind: str) -> list[float]:
    """Seconds until the job looks again, after each of three looks."""
    found = []
    for _ in range(3):
        await harness.execute(
            "update stripe_commands set due_at = now() - interval '1 hour' where kind = :kind", kind=kind
        )
        assert await harness.loop.do_one()
        waits = "select extract(epoch from due_at - now())::float8 as pause from stripe_commands where kind = :kind"
        (row,) = await harness.rows(waits, kind=kind)
        found.append(row["pause"])
    return found


@pytest.mark.usefixtures("builder")
async def test_a_checkout_that_stripe_does_not_end_is_looked_at_ever_more_seldom(harness: Harness) -> None:
    """Its time is up, and Stripe says that it is open: without a pause of its own it was asked every second."""
    await open_page(harness, upgrade(await harness.given_a_workspace(None), *BUNDLE))
    await harness.execute("update checkout_sessions set expires_at = now() - interval '1 hour', leased_until = null")

    first, second, third = await _pauses(harness, "settle_checkout")

    assert 60 < first < second < third <= 600


@pytest.mark.usefixtures("builder")
async def test_what_is_over_and_stands_in_an_open_checkout_is_closed_ever_more_seldom(harness: Harness) -> None:
    """Stripe can void nothing before its Checkout is over: without a pause that was found out again and again."""
    await open_page(harness, upgrade(await harness.given_a_workspace(None), *BUNDLE))
    (row, _) = await purchases_of(harness)
    await harness.execute("update workspace_addon_purchases set status = 'cancelled' where id = :id", id=row.id)
    async with harness.database.transaction() as session:
        await enqueue(session, VoidInvoice(purchase_id=row.id))

    first, second, third = await _pauses(harness, "void")

    assert 25 < first < second < third


async def test_what_a_bank_is_at_work_on_is_voided_ever_more_seldom(harness: Harness) -> None:
    """Stripe voids no invoice whose money is on its way."""
    purchase = await harness.given_a_purchase(DEBIT)
    await harness.execute("update workspace_addon_purchases set status = 'cancelled' where id = :id", id=purchase.id)
    async with harness.database.transaction() as session:
        await enqueue(session, VoidInvoice(purchase_id=purchase.id))

    first, second, third = await _pauses(harness, "void")

    assert 25 < first < second < third
