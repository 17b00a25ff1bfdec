"""Periods are counted from the anchor."""

from datetime import UTC, datetime

import pytest

from sandbox.stripe.model import Price
from sandbox.stripe.subscriptions.calendar import end_of_period


def price(interval: str, count: int = 1) -> Price:
    recurring = {"interval": interval, "interval_count": count}
    return Price(id="price_1", created=0, product="prod_1", currency="eur", unit_amount=900, recurring=recurring)


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    ("interval", "count", "anchor", "ends"),
    [
        ("month", 1, "2026-01-31T10:00", ["2026-02-28T10:00", "2026-03-31T10:00", "2026-04-30T10:00"]),
        ("year", 1, "2028-02-29T00:00", ["2029-02-28T00:00", "2030-02-28T00:00"]),
        ("month", 3, "2026-11-30T23:59", ["2027-02-28T23:59", "2027-05-30T23:59"]),
        ("week", 2, "2026-12-25T00:00", ["2027-01-08T00:00"]),
        ("day", 1, "2026-12-31T00:00", ["2027-01-01T00:00"]),
    ],
)
def test_a_period_ends_on_the_anchors_day_or_the_months_last(
    interval: str, count: int, anchor: str, ends: list[str]
) -> None:
    start, found = at(anchor), []
    for _ in ends:
        start = end_of_period(start=start, anchor=at(anchor), price=price(interval, count))
        found.append(start)

    assert [at(end) for end in ends] == found
