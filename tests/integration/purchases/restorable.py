"""Two databases of purchases: the one that is lost, and the copy that was taken of it; what is done to each."""

import asyncio
import json
import math
import uuid
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from functools import partial
from typing import Any

from chassis.database.database import Database
from chassis.outbox.relay import Relay
from chassis.process import metrics
from chassis.process.health import Health
from chassis.process.settings import ServiceSettings
from chassis.recovery.published import published_records
from chassis.recovery.read_back import read_back_once
from contracts import Envelope
from contracts.envelope import MalformedEnvelope
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Status, Trigger
from purchases.moves.cancel import Cancellation, cancel
from purchases.moves.move_by_hand import move_by_hand
from purchases.refunds.request_refund import RefundOrder, request_refund
from purchases.restored.numbered import LEDGER
from purchases.restored.read_back import read_back
from tests.integration.purchases.harness import Harness
from tests.stack.postgres import NewDatabase

STAFF = "staff:sam"


class Restorable:
    """Two databases of one service: the one that is lost, and the copy that was taken of it."""

    def __init__(
        self, stack: AsyncExitStack, new: NewDatabase, settings: ServiceSettings, open_on: Callable[[Database], Harness]
    ) -> None:
        self._stack = stack
        self._new = new
        self._open_on = open_on
        self.settings = settings

    async def opened(self, url: str) -> Harness:
        return self._open_on(await self._stack.enter_async_context(Database(url, name="restored-tests")))

    async def copy(self, harness: Harness) -> str:
        """Take a backup: nobody is connected meanwhile, and the pool opens its connections anew afterwards."""
        await harness.database.engine.dispose()
        return await self._new(like=harness.database.url.rpartition("/")[2])

    async def relay(self, harness: Harness) -> None:
        """Relay until Kafka was compared with the ledger, and nothing is left to send."""
        metrics.COMPARED_AT.set(metrics.UNKNOWN)
        relay = Relay(database=harness.database, settings=self.settings, health=Health(), ledger=LEDGER)
        async with relay.running(), asyncio.timeout(60):
            while math.isnan(metrics.COMPARED_AT._value.get()) or await waiting(harness):  # noqa: ASYNC110 - in the database
                await asyncio.sleep(0.05)

    async def read_back(self, harness: Harness) -> bool:
        mend = partial(read_back, context=harness.context, settings=self.settings)
        return await read_back_once(harness.database, mend)

    async def on_topic(self, topic: str) -> list[tuple[Envelope, dict[str, Any]]]:
        """Every fact there, the oldest of its key first; other tests leave records there that are none."""
        found: list[tuple[Envelope, dict[str, Any]]] = []
        async with published_records(self.settings, [topic]) as records:
            async for batch in records.read(await records.whole()):
                for one in batch:
                    with suppress(MalformedEnvelope, ValueError):
                        found.append((Envelope.from_headers(one.headers), json.loads(one.value)))
        return found


async def waiting(harness: Harness) -> int:
    [row] = await harness.rows("select count(*) as facts from outbox")
    return int(row["facts"])


async def given_paid(harness: Harness) -> Purchase:
    bought = (await harness.buy(harness.order(await harness.given_a_workspace()))).purchase
    assert bought.status is Status.PAID
    return bought


async def when_moved(harness: Harness, purchase: Purchase, trigger: Trigger, reason: str) -> None:
    async with harness.database.transaction() as session:
        await move_by_hand(session, trigger, purchase_id=purchase.id, actor=STAFF, reason=reason)


async def when_cancelled(harness: Harness, purchase: Purchase, *, refund: bool = False) -> None:
    cancellation = Cancellation(purchase_id=purchase.id, actor=STAFF, reason="wrong one", refund=refund)
    await cancel(database=harness.database, client=harness.client, cancellation=cancellation)


async def when_refunded(harness: Harness, purchase: Purchase, cents: int) -> None:
    order = RefundOrder(
        purchase_id=purchase.id, amount_cents=cents, reason="late", staff=STAFF, idempotency_key=uuid.uuid4().hex
    )
    async with harness.database.transaction() as session:
        await request_refund(session=session, order=order)
    await harness.settle_everything()


async def restored(service: Restorable, url: str) -> Harness:
    """The copy in place of what is lost, found out by its relay."""
    harness = await service.opened(url)
    await service.relay(harness)
    return harness


async def shape(harness: Harness, purchase: Purchase) -> dict[str, Any]:
    """What must not be forgotten of a purchase."""
    row = await harness.purchase(purchase.id)
    lines = await harness.rows(
        "select to_status, trigger, actor, reason from purchase_transitions"
        " where purchase_id = :id and not stale and trigger in ('delivered', 'cancelled', 'reopened') order by id",
        id=purchase.id,
    )
    refunds = sorted(
        (one.id, one.stripe_refund_id, one.refund_cents, one.status, one.requested_by, one.reason)
        for one in row.refunds
    )
    paid = [(one.stripe_invoice_id, one.paid_cents) for one in row.payments]
    return {"status": row.status, "paid": paid, "refunds": refunds, "lines": lines, "buyer": row.bought_by}
