"""Health: loops that stopped turning, checks that fail or hang."""

import asyncio
from collections.abc import Callable

import pytest

from chassis.process import health as health_module
from chassis.process.health import Health


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_loop_is_late_after_its_own_limit(clock: Clock) -> None:
    health = Health(clock=clock)
    health.beat("relay", limit=5)
    health.beat("consumer", limit=60)

    clock.now = 6

    assert health.late() == {"relay": 6.0}


def test_a_beat_or_a_planned_end_makes_it_good_again(clock: Clock) -> None:
    health = Health(clock=clock)
    health.beat("relay", limit=5)
    health.beat("sweep", limit=5)
    clock.now = 6

    health.beat("relay", limit=5)
    health.forget("sweep")

    assert health.late() == {}


async def passes() -> None:
    return


async def says_no() -> bool:
    return False


async def breaks() -> None:
    raise ConnectionError("password=hunter2")


async def hangs() -> None:
    await asyncio.sleep(60)


@pytest.mark.parametrize(
    ("check", "expected"), [(passes, "ok"), (says_no, "failed"), (breaks, "failed"), (hangs, "failed")]
)
async def test_a_check_passes_or_fails_in_bounded_time(
    monkeypatch: pytest.MonkeyPatch, check: Callable[[], object], expected: str
) -> None:
    monkeypatch.setattr(health_module, "CHECK_TIMEOUT", 0.05)
    health = Health()
    health.check("database", check)  # type: ignore[arg-type]

    assert {"database": expected} == await health.readiness()


async def test_a_process_that_is_about_to_stop_is_not_ready() -> None:
    health = Health()
    health.drain()

    assert "failed" in (await health.readiness()).values()
