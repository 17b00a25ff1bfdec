"""What says whether money is stuck: payments that the ledger lacks, and money about which nobody has decided."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final

from prometheus_client import Gauge
from sqlalchemy import TextClause, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database.counting import AT_MOST
from chassis.process.metrics import UNKNOWN
from purchases.jobs import store as jobs
from purchases.jobs.kinds import MakeRefund, RefundUnmatchedPayment, ReturnCredit
from purchases.parked.store import PAYMENTS
from purchases.reconcile import unrecorded
from purchases.reconcile.passes import REACHES, compared_until
from purchases.worker.jobs import URGENT

UNRECORDED: Final = Gauge(
    "billing_stripe_paid_not_in_ledger",
    "Invoices paid at Stripe, compared and not recorded, nor set aside (max by: replicas share the table).",
)
UNRECORDED_AGE: Final = Gauge(
    "billing_stripe_paid_not_in_ledger_oldest_age_seconds",
    "Since the invoice of the oldest such payment was made; 0 without (max by: replicas share the table).",
)
UNDECIDED: Final = Gauge(
    "billing_undecided_money_items",
    "Money that waits for somebody, by what holds it; counted up to 10,000 (max by: replicas share the table).",
    ["kind"],
)
UNDECIDED_AGE: Final = Gauge(
    "billing_undecided_money_oldest_age_seconds",
    "For how long the oldest of these waits; 0 without (max by: replicas share the table).",
    ["kind"],
)
OVERDUE: Final = Gauge(
    "billing_stripe_commands_overdue_seconds",
    "For how long a job is due that no worker is at, the sweep's aside; 0 without (max by: one table).",
)


SWEEP_AGE: Final = Gauge(
    "billing_sweep_age_seconds",
    "Since the moment until which a finished pass compared, by reach; NaN before the first (max by: one table).",
    ["reach"],
)


def _counted(since: str, rows: str, *, where: str = "true") -> TextClause:
    """Return a statement for the number of `rows`, and the seconds since the oldest one's `since`."""
    return text(
        f"select count(*), coalesce(extract(epoch from now() - min({since})), 0) "  # noqa: S608
        f"from (select {since} from {rows} where {where} limit {AT_MOST}) counted"
    )


PENDING: Final = """
    status = 'pending' and action_url is null and waiting_for is null and stripe_checkout_session_id is null
"""
KINDS_OF_MONEY: Final[Mapping[str, TextClause]] = {
    "payment": _counted("parked_at", f"({PAYMENTS}) payment", where="resolved_at is null"),
    "fact": _counted("parked_at", "parked", where="consumer = 'purchases' and resolved_at is null"),
    "command": _counted("ended_at", "stripe_commands", where="state = 'parked'"),
    "refund": _counted("asked_at", "stripe_commands", where="state = 'open' and kind in :refunds").bindparams(
        bindparam("refunds", [kind.KIND for kind in (MakeRefund, RefundUnmatchedPayment, ReturnCredit)], expanding=True)
    ),
    "purchase": _counted("started_at", "workspace_addon_purchases", where=PENDING),
}
"""Set aside for staff: payments, facts, jobs. Asked for and not sent: refunds. Pending, and not for the customer or a
bank: purchases. Facts, jobs set aside and purchases are answered by an index on what is counted. For payments, all that
were ever parked are read, with what became of each, and for refunds all jobs that are open, whatever their kind."""


async def _unrecorded(session: AsyncSession) -> None:
    missing = await unrecorded.still_unrecorded(session)
    since = missing.oldest_invoiced_at
    UNRECORDED.set(missing.payments)
    UNRECORDED_AGE.set((datetime.now(UTC) - since).total_seconds() if since else 0)


async def _overdue(session: AsyncSession) -> None:
    OVERDUE.set(await jobs.overdue_seconds(session, kinds=URGENT))


async def _sweep_age(session: AsyncSession) -> None:
    now = datetime.now(UTC)
    for reach, until in (await compared_until(session)).items():
        SWEEP_AGE.labels(reach).set((now - until).total_seconds() if until else UNKNOWN)


async def _undecided(session: AsyncSession, *, kind: str) -> None:
    number, seconds = (await session.execute(KINDS_OF_MONEY[kind])).one()
    UNDECIDED.labels(kind).set(number)
    UNDECIDED_AGE.labels(kind).set(float(seconds))


@dataclass(frozen=True, slots=True)
class Measure:
    """Gauges, and one question to the database that sets them to how it is now."""

    gauges: Sequence[Gauge]
    ask: Callable[[AsyncSession], Awaitable[object]]


MONEY: Final = (
    Measure((UNRECORDED, UNRECORDED_AGE), _unrecorded),
    Measure((OVERDUE,), _overdue),
    Measure(tuple(SWEEP_AGE.labels(reach) for reach in REACHES), _sweep_age),
    *(
        Measure((UNDECIDED.labels(kind), UNDECIDED_AGE.labels(kind)), partial(_undecided, kind=kind))
        for kind in KINDS_OF_MONEY
    ),
)
for measure in MONEY:
    for gauge in measure.gauges:
        gauge.set(UNKNOWN)
