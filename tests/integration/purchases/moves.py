"""What people do to a purchase, as the API has it done."""

import uuid
from collections.abc import Sequence
from typing import Any, Final

from purchases.ledger.rows import Purchase, Refund
from purchases.ledger.transitions import Trigger
from purchases.moves.cancel import Cancellation, cancel
from purchases.moves.move_by_hand import move_by_hand
from purchases.refunds.request_refund import RefundOrder, Requested, refundable_cents, request_refund
from tests.integration.purchases.harness import Harness

STAFF: Final = "staff:amy"
BUYER: Final = "user:olga"
SAID: Final = "the customer <b>asked</b>"


async def ask_for_a_refund(
    harness: Harness, purchase: Purchase, amount: int | None = None, *, key: str | None = None, reason: str = SAID
) -> Requested:
    order = RefundOrder(
        purchase_id=purchase.id,
        amount_cents=amount,
        reason=reason,
        idempotency_key=key or uuid.uuid4().hex,
        staff=STAFF,
    )
    async with harness.database.transaction() as session:
        return await request_refund(session=session, order=order)


async def cancel_it(harness: Harness, purchase: Purchase, **changes: Any) -> Purchase:
    """By its buyer, unless another is given."""
    asked: dict[str, Any] = {"purchase_id": purchase.id, "actor": BUYER, "reason": SAID} | changes
    return await cancel(database=harness.database, client=harness.client, cancellation=Cancellation(**asked))


async def deliver_it(harness: Harness, purchase: Purchase) -> Purchase:
    async with harness.database.transaction() as session:
        return await move_by_hand(session, Trigger.DELIVERED, purchase_id=purchase.id, actor=STAFF)


async def reopen_it(harness: Harness, purchase: Purchase) -> Purchase:
    async with harness.database.transaction() as session:
        return await move_by_hand(session, Trigger.REOPENED, purchase_id=purchase.id, actor=STAFF, reason=SAID)


async def refunds_of(harness: Harness, purchase: Purchase) -> Sequence[Refund]:
    """As they are now, oldest first."""
    return (await harness.purchase(purchase.id)).refunds


async def left_of(harness: Harness, purchase: Purchase) -> int:
    """Minor units that could still be refunded."""
    return refundable_cents(await harness.purchase(purchase.id))
