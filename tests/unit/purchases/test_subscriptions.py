"""Which news of a subscription counts, and which of several is kept."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from purchases.subscriptions.rules import ENDED, News, Running, in_order_of_keeping, judge_news, status_now

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("status", "event_at", "new_status", "new_at", "news"),
    [
        ("active", NOON, "past_due", NOON + SECOND, News.TAKE),
        ("active", NOON, "past_due", NOON - SECOND, News.STALE),
        ("active", NOON, "past_due", NOON, News.FETCH),
        ("active", None, "past_due", NOON, News.TAKE),
        ("active", NOON, "canceled", NOON, News.TAKE),
        ("active", NOON, "canceled", NOON - SECOND, News.TAKE),
        ("canceled", NOON, "active", NOON + SECOND, News.STALE),
        ("incomplete_expired", NOON, "active", NOON, News.STALE),
    ],
)
def test_newer_wins_and_an_end_is_final(
    status: str, event_at: datetime | None, new_status: str, new_at: datetime, news: News
) -> None:
    assert judge_news(status=status, event_at=event_at, new_status=new_status, new_at=new_at) is news


@pytest.mark.parametrize(
    ("status", "event_at", "confirmed_at", "now"),
    [
        ("incomplete", None, NOON, "active"),
        ("incomplete", NOON, NOON, "active"),
        ("incomplete", NOON, NOON - SECOND, "incomplete"),
        ("incomplete", NOON, None, "incomplete"),
        ("past_due", NOON, NOON + SECOND, "past_due"),
        ("canceled", NOON, NOON + SECOND, "canceled"),
    ],
)
def test_a_completed_checkout_is_active_unless_something_newer_is_known(
    status: str, event_at: datetime | None, confirmed_at: datetime | None, now: str
) -> None:
    assert status_now(status=status, event_at=event_at, confirmed_at=confirmed_at) == now


def running(name: str, status: str, *, seconds: int = 0) -> Running:
    return Running(subscription_id=name, status=status, started_at=NOON + seconds * SECOND)


@pytest.mark.parametrize(
    ("subscriptions", "kept"),
    [
        ([running("old", "active"), running("new", "active", seconds=1)], "old"),
        ([running("old", "past_due"), running("new", "active", seconds=1)], "new"),
        ([running("old", "incomplete"), running("new", "past_due", seconds=1)], "new"),
        ([running("old", "canceled"), running("new", "active", seconds=1)], "new"),
        ([running("b", "active"), running("a", "active")], "a"),
    ],
)
def test_the_one_that_is_paid_is_kept_and_the_older_of_two(subscriptions: list[Running], kept: str) -> None:
    assert in_order_of_keeping(subscriptions)[0] == kept
    assert in_order_of_keeping(reversed(subscriptions))[0] == kept


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.sampled_from(["active", "past_due", "incomplete", "canceled"])),
        min_size=1,
        unique_by=lambda one: one[0],
    ),
    st.data(),
)
def test_snapshots_of_different_seconds_end_the_same_in_any_order(
    reported: list[tuple[int, str]], data: st.DataObject
) -> None:
    """But for events after an end, which Stripe does not send."""
    ends = [at for at, status in reported if status in ENDED]
    reported = [(at, status) for at, status in reported if not ends or at <= min(ends)]
    status, event_at = "incomplete", None
    for at, new in data.draw(st.permutations([*reported, *reported])):
        when = NOON + at * SECOND
        if judge_news(status=status, event_at=event_at, new_status=new, new_at=when) is News.TAKE:
            status, event_at = new, when

    assert (event_at, status) == (NOON + max(reported)[0] * SECOND, max(reported)[1])
