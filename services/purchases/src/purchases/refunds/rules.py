"""One charge may have paid for several things: which of its refunds falls on which purchase."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

Shares = dict[str, int]
"""By purchase id: minor units of a refund that fall on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidCharge:
    """What one charge paid; `paid` holds the purchases, and what of the charge was for each."""

    charge_cents: int
    paid: Mapping[str, int]
    shared: bool
    """It also paid for something else than one purchase: the plan, another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeRefund:
    """One refund, or lost dispute, of the charge."""

    refund_id: str
    cents: int
    counts: bool
    names: str | None = None
    """The purchase that its metadata names."""
    of_the_plan: bool = False
    """It says itself that it is of no purchase."""
    known: Mapping[str, int] = field(default_factory=dict)
    """What it was recorded as before."""


def shares_of(refund: ChargeRefund, charge: PaidCharge) -> Shares | None:
    """Return where the refund falls, as far as it says itself; None: the charge's other refunds, or staff, must say."""
    if refund.known and not _may_fall_on_more(refund, charge):
        return dict(refund.known)
    if refund.names in charge.paid:
        return {str(refund.names): refund.cents}
    if refund.of_the_plan:
        return {}
    if not charge.shared:
        return dict.fromkeys(charge.paid, refund.cents)
    if refund.cents >= charge.charge_cents:
        return {**charge.paid, **refund.known}
    return dict(refund.known) or (None if refund.counts else {})


def _may_fall_on_more(refund: ChargeRefund, charge: PaidCharge) -> bool:
    """Return whether it names nobody, and was recorded before every purchase was known that the charge paid."""
    named = refund.of_the_plan or refund.names is not None
    return charge.shared and not named and sum(refund.known.values()) < refund.cents


def shares_of_all(refunds: Iterable[ChargeRefund], charge: PaidCharge) -> dict[str, Shares | None]:
    """Return the shares by refund id, of all refunds of the charge: once it is wholly refunded, every purchase is."""
    known = sorted(refunds, key=lambda refund: refund.refund_id)
    shares = {refund.refund_id: shares_of(refund, charge) for refund in known}
    if sum(refund.cents for refund in known if refund.counts) < charge.charge_cents:
        return shares
    left = dict(charge.paid)
    for refund in known:
        for purchase_id, cents in (shares[refund.refund_id] or {}).items() if refund.counts else ():
            left[purchase_id] -= cents
    for refund in known:
        share = shares[refund.refund_id]
        if share is None or (refund.counts and _may_fall_on_more(refund, charge)):
            share = share or {}
            others = {purchase_id: cents for purchase_id, cents in left.items() if purchase_id not in share}
            taken = _take(others, refund.cents - sum(share.values()))
            left |= others
            shares[refund.refund_id] = share | taken
    return shares


def of_the_plan(*, refund_cents: int, shares: Shares | None, counts: bool, says_so: bool, known: int) -> int:
    """Return what of a refund is of the plan that its charge paid beside purchases; minor units.

    It is what `shares` leave; nothing while nobody can say (None). One that failed before anybody could say stays as it
    was `known`. `says_so`: it names the plan itself.
    """
    if shares is None:
        return 0
    if not counts and not shares and not says_so:
        return known
    return max(0, refund_cents - sum(shares.values()))


def _take(left: Shares, cents: int) -> Shares:
    """Give `cents` to the purchases in order, each up to what it has left; the rest was for something else."""
    taken: Shares = {}
    for purchase_id, missing in left.items():
        share = min(missing, cents)
        if share > 0:
            taken[purchase_id], left[purchase_id], cents = share, missing - share, cents - share
    return taken


def spread(cents: int, charges: Sequence[tuple[int, int | None]]) -> list[tuple[int, int]]:
    """Spread `cents` over the charges (number, what is left of it) in their order; what fits nowhere is the last's.

    A charge of which nobody knows what is left takes all that comes to it.
    """
    found: list[tuple[int, int]] = []
    for number, room in charges:
        share = cents if room is None else min(room, cents)
        if share > 0:
            found.append((number, share))
            cents -= share
    if cents > 0 or not found:
        number, share = found.pop() if found else (charges[-1][0], 0)
        found.append((number, share + cents))
    return found
