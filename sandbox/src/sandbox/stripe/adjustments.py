"""What makes an invoice's total differ from its lines: coupons, the discounts made from them, and tax rates."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import ClassVar, Final

from sandbox.stripe.thing import Thing

HUNDRED: Final = Decimal(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coupon(Thing):
    """`percent_off`, or `amount_off` minor units of `currency`."""

    kind: ClassVar[str] = "coupon"

    percent_off: Decimal | None = None
    amount_off: int | None = None
    currency: str | None = None
    duration: str = "once"
    duration_in_months: int | None = None
    name: str | None = None
    max_redemptions: int | None = None
    redeem_by: int | None = None
    times_redeemed: int = 0

    def is_valid(self, *, now: int) -> bool:
        """Return whether it may still be redeemed."""
        used_up = self.max_redemptions is not None and self.times_redeemed >= self.max_redemptions
        return not used_up and (self.redeem_by is None or now <= self.redeem_by)

    def amount_of(self, amount: int) -> int:
        """Return what it takes off `amount`; never more than that."""
        off = self.amount_off if self.percent_off is None else share(amount, self.percent_off)
        return min(off or 0, amount)


@dataclass(frozen=True, slots=True, kw_only=True)
class Discount(Thing):
    """A coupon redeemed for a customer (and every invoice of his that names nothing else) or for one invoice."""

    kind: ClassVar[str] = "discount"

    coupon: Coupon
    customer: str | None = None
    invoice: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxRate(Thing):
    """`percentage` of what is left after discounts; `inclusive` where the amount holds it already."""

    kind: ClassVar[str] = "tax_rate"

    display_name: str
    percentage: Decimal
    inclusive: bool
    active: bool = True
    country: str | None = None
    description: str | None = None
    jurisdiction: str | None = None
    state: str | None = None
    tax_type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscountAmount:
    """What one discount takes off, in minor units."""

    discount: str
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxAmount:
    """What one rate asks for, of `taxable` minor units."""

    rate: TaxRate
    amount: int
    taxable: int


def share(amount: int, percentage: Decimal) -> int:
    """Return `percentage` of `amount`, halves rounded up as Stripe does."""
    return int((amount * percentage / HUNDRED).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def spread(total: int, *, over: Sequence[int]) -> list[int]:
    """Split `total` in proportion to `over`, to the last minor unit; what rounding leaves goes to the first ones."""
    whole = sum(over)
    if not whole:
        return [0 for _ in over]
    parts = [total * one // whole for one in over]
    left = total - sum(parts)
    for position, one in enumerate(over):
        added = min(left, one - parts[position])
        parts[position] += added
        left -= added
    return parts


def tax_of(amount: int, rate: TaxRate) -> TaxAmount:
    """Return the tax on `amount`: added to it, or held in it."""
    if not rate.inclusive:
        return TaxAmount(rate=rate, amount=share(amount, rate.percentage), taxable=amount)
    net = int((amount * HUNDRED / (HUNDRED + rate.percentage)).quantize(Decimal(1), rounding=ROUND_HALF_UP))
    return TaxAmount(rate=rate, amount=amount - net, taxable=net)
