"""JOBS: which function does which job."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar, get_args

from purchases.catalog_copy.provision_plan import provision_plan
from purchases.catalog_copy.provision_price import rename_product
from purchases.checkout.end_checkout import reconcile_checkout
from purchases.customers.save_card import adopt_card
from purchases.jobs import kinds
from purchases.jobs.job import Job
from purchases.jobs.store import Task
from purchases.jobs.stripe_context import Result, WorkerContext
from purchases.reconcile.passes import reconcile, reconcile_reach
from purchases.reconcile.reconcile import reconcile_day
from purchases.reconcile.reconcile_purchase import reconcile_purchase, void_invoice
from purchases.reconcile.reconcile_subscriptions import reconcile_one, reconcile_periods, reconcile_running
from purchases.reconcile.sync_invoice import sync_invoice, sync_payment
from purchases.refunds.make_refund import make_refund
from purchases.refunds.match_refund import match_refund_to_payment
from purchases.refunds.refund_unmatched_payment import refund_unmatched_payment
from purchases.refunds.return_credit import return_credit
from purchases.refunds.sync_refunds import sync_refunds
from purchases.subscriptions.end_extra import compare_subscriptions, end_and_pay_back
from purchases.subscriptions.end_unfinished import end_unfinished
from purchases.subscriptions.fetch_next_charge import fetch_next_charge
from purchases.subscriptions.sync_renewal import sync_renewal
from purchases.subscriptions.sync_subscription import adopt_subscriptions, sync_subscription

JobT = TypeVar("JobT", bound=Job)
Worker = Callable[[WorkerContext, Task[JobT]], Awaitable[Result]]


def _pair(kind: type[JobT], worker: Worker[JobT]) -> tuple[type[Job], Worker[Any]]:
    """Return both, which mypy has found to fit."""
    return kind, worker


JOBS: Final[Mapping[type[Job], Worker[Any]]] = dict(
    (
        _pair(kinds.ReconcilePurchase, reconcile_purchase),
        _pair(kinds.VoidInvoice, void_invoice),
        _pair(kinds.SyncInvoice, sync_invoice),
        _pair(kinds.SyncPayment, sync_payment),
        _pair(kinds.SyncRefunds, sync_refunds),
        _pair(kinds.MatchRefundToPayment, match_refund_to_payment),
        _pair(kinds.RefundUnmatchedPayment, refund_unmatched_payment),
        _pair(kinds.ReturnCredit, return_credit),
        _pair(kinds.MakeRefund, make_refund),
        _pair(kinds.AdoptCard, adopt_card),
        _pair(kinds.RenameProduct, rename_product),
        _pair(kinds.ProvisionPlan, provision_plan),
        _pair(kinds.Reconcile, reconcile),
        _pair(kinds.ReconcileDay, reconcile_day),
        _pair(kinds.ReconcileReach, reconcile_reach),
        _pair(kinds.ReconcileSubscriptions, reconcile_running),
        _pair(kinds.ReconcileSubscription, reconcile_one),
        _pair(kinds.ReconcilePeriods, reconcile_periods),
        _pair(kinds.ReconcileCheckout, reconcile_checkout),
        _pair(kinds.SyncSubscription, sync_subscription),
        _pair(kinds.SyncRenewal, sync_renewal),
        _pair(kinds.FetchNextCharge, fetch_next_charge),
        _pair(kinds.AdoptSubscriptions, adopt_subscriptions),
        _pair(kinds.CompareSubscriptions, compare_subscriptions),
        _pair(kinds.EndSubscription, end_and_pay_back),
        _pair(kinds.EndUnfinished, end_unfinished),
    )
)
KINDS: Final[Mapping[str, type[Job]]] = {kind.KIND: kind for kind in JOBS}
"""By the word that a row has."""
SWEEPS: Final = frozenset(kind.KIND for kind in get_args(kinds.Sweeping))
"""What the worker takes that does nothing else, one at a time over all replicas."""
URGENT: Final = frozenset(KINDS) - SWEEPS
