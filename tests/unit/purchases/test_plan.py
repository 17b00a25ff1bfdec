"""The plan as a function of the subscription, and what its caps mean."""

import pytest

from purchases.subscriptions.plan import Caps, Usage, caps_of, plan_of, usages

PLANS: dict[str, Caps] = {"free": {"projects": 1, "keys": 0}, "builder": {"projects": None, "keys": None, "exports": 5}}


@pytest.mark.parametrize(
    ("status", "plan"),
    [
        ("active", "builder"),
        ("trialing", "builder"),
        ("past_due", "builder"),
        ("unpaid", "builder"),
        ("paused", "free"),
        ("incomplete", "free"),
        ("incomplete_expired", "free"),
        ("canceled", "free"),
    ],
)
def test_the_plan_follows_the_subscriptions_status(status: str, plan: str) -> None:
    assert plan_of([status]) == plan
    assert plan_of([status, "canceled"]) == plan


def test_without_a_subscription_the_plan_is_free() -> None:
    assert plan_of([]) == "free"


def test_what_only_another_plan_names_is_not_part_of_this_one() -> None:
    assert caps_of("free", plans=PLANS) == {"projects": 1, "keys": 0, "exports": 0}
    assert caps_of("builder", plans=PLANS) == {"projects": None, "keys": None, "exports": 5}


@pytest.mark.parametrize(
    ("used", "limit", "over_cap", "frozen", "full"),
    [
        (0, 1, False, False, False),
        (1, 1, False, False, True),
        (2, 1, True, False, True),
        (0, 0, False, True, True),
        (2, 0, True, True, True),
        (9, None, False, False, False),
    ],
)
def test_what_a_cap_means(used: int, limit: int | None, over_cap: bool, frozen: bool, full: bool) -> None:
    usage = Usage(resource="projects", used=used, limit=limit)

    assert (usage.over_cap, usage.frozen, usage.full) == (over_cap, frozen, full)


def test_what_is_in_use_is_shown_though_no_plan_names_it_any_more() -> None:
    shown = usages({"projects": None}, used={"projects": 3, "relics": 2, "gone": 0})

    assert [(one.resource, one.used, one.limit) for one in shown] == [("projects", 3, None), ("relics", 2, 0)]
