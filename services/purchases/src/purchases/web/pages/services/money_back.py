"""What became of a purchase's money, as its buyer sees it: sent back, on its way, or not."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from purchases.ledger.money import COUNTS, REQUESTED
from purchases.ledger.publish import refunded_cents
from purchases.ledger.rows import Purchase, Refund

SENT: Final = "succeeded"


class Way(StrEnum):
    """How far money is that paid for nothing."""

    BACK = "back"
    ON_ITS_WAY = "on its way"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyBack:
    """Minor units; of the sale's money, but for `needless_cents`."""

    gone_cents: int
    going_cents: int
    """Asked for, or on its way: nobody has said that it arrived."""
    rest_cents: int
    """Of what was paid, what nobody has asked for."""
    failed: bool
    """A refund did not go through, and there is something left that it was for."""
    needless_cents: int
    """What was paid though there was nothing to pay; it goes back by itself."""
    needless_way: Way

    @property
    def begun(self) -> bool:
        """Whether some of the sale's money went back, or was asked for."""
        return self.gone_cents + self.going_cents > 0


def money_back(purchase: Purchase) -> MoneyBack:
    """Return what became of one purchase's money until now."""
    needless = [payment for payment in purchase.payments if payment.returned]
    its_invoices = {payment.stripe_invoice_id for payment in needless}
    returns = [refund for refund in purchase.refunds if refund.stripe_invoice_id in its_invoices]
    refunds = [refund for refund in purchase.refunds if refund not in returns and refund.kind != "dispute"]
    refunded = refunded_cents(purchase)
    on_its_way = min(refunded, _sum(refunds, COUNTS - {SENT}))
    going = on_its_way + _sum(refunds, {REQUESTED})
    rest = max(0, paid_cents(purchase) - (refunded - on_its_way) - going)
    needless_cents = sum(payment.returnable_cents for payment in needless)
    return MoneyBack(
        gone_cents=refunded - on_its_way,
        going_cents=going,
        rest_cents=rest,
        failed=rest > 0 and _any_failed(refunds),
        needless_cents=needless_cents,
        needless_way=_way(needless_cents, returns),
    )


def paid_cents(purchase: Purchase) -> int:
    """Return what was charged for it; its price while Stripe has not said."""
    return purchase.price_cents if purchase.paid_cents is None else purchase.paid_cents


def _way(cents: int, returns: Sequence[Refund]) -> Way:
    if _sum(returns, {SENT}) >= cents:
        return Way.BACK
    return Way.FAILED if _any_failed(returns) and _sum(returns, COUNTS) < cents else Way.ON_ITS_WAY


def _any_failed(refunds: Sequence[Refund]) -> bool:
    return any(refund.status not in COUNTS | {REQUESTED} for refund in refunds)


def _sum(refunds: Sequence[Refund], statuses: frozenset[str] | set[str]) -> int:
    return sum(refund.refund_cents for refund in refunds if refund.status in statuses)
