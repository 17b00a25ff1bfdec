"""The arithmetic of discounts and taxes."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from sandbox.stripe.adjustments import TaxRate, share, spread, tax_of

AMOUNTS = st.lists(st.integers(min_value=0, max_value=10**8), max_size=8)
PERCENTAGES = st.decimals(min_value=Decimal("0.01"), max_value=100, places=2)


def rate(percentage: Decimal, *, inclusive: bool) -> TaxRate:
    """A rate of its own."""
    return TaxRate(id="txr_1", created=0, display_name="VAT", percentage=percentage, inclusive=inclusive)


@given(AMOUNTS, PERCENTAGES)
def test_what_is_spread_adds_up_and_takes_from_nobody_more_than_he_has(amounts: list[int], percentage: Decimal) -> None:
    total = share(sum(amounts), percentage)

    parts = spread(total, over=amounts)

    assert total == sum(parts)
    assert all(0 <= part <= amount for part, amount in zip(parts, amounts, strict=True))


@given(st.integers(min_value=0, max_value=10**8), PERCENTAGES)
def test_an_inclusive_tax_is_the_exclusive_tax_of_what_it_leaves(amount: int, percentage: Decimal) -> None:
    tax = tax_of(amount, rate(percentage, inclusive=True))

    assert amount == tax.taxable + tax.amount
    assert abs(tax.amount - tax_of(tax.taxable, rate(percentage, inclusive=False)).amount) <= 1


def test_halves_are_rounded_up() -> None:
    assert [share(amount, Decimal(50)) for amount in (1, 2, 3)] == [1, 1, 2]
