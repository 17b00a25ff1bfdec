"""Health: loops that stopped turning, checks that fail or hang."""

import asyncio
import math
from collections.abc import Callable

import httpx
import pytest
from prometheus_client import REGISTRY

from chassis.process import health as health_module
from chassis.process.health import Health, ops_app


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


def shown(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def test_what_readiness_found_is_exported_check_by_check() -> None:
    """Given a check that was never run, then it is unknown; one that only informs does not decide."""
    health = Health()
    health.check("good", passes)
    health.inform("bad", says_no)
    unknown = shown("billing_ready_check", check="good")

    await health.readiness()
    informed = shown("billing_ready")
    health.check("worse", breaks)
    await health.readiness()

    assert math.isnan(unknown)
    assert [shown("billing_ready_check", check=name) for name in ("good", "bad", "worse")] == [1, 0, 0]
    assert (informed, shown("billing_ready")) == (1, 0)


async def test_a_scrape_has_the_checks_run_and_waits_for_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given a check that hangs, when it is scraped twice, then both end at once, and the next shows what it found."""
    monkeypatch.setattr(health_module, "CHECK_TIMEOUT", 1.0)
    health = Health()
    health.check("hangs", hangs)
    client = httpx.AsyncClient(transport=httpx.ASGITransport(ops_app(health)), base_url="http://ops")

    async with asyncio.timeout(60), client:
        first = [await client.get("/metrics") for _ in range(2)]
        assert health._looking is not None
        assert not health._looking.done(), "the scrapes waited for it"
        await health._looking
        after = await client.get("/metrics")

    assert all('billing_ready_check{check="hangs"} NaN' in answer.text for answer in first)
    assert 'billing_ready_check{check="hangs"} 0.0' in after.text
