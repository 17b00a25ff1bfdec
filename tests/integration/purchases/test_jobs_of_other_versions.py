"""Jobs that another version wrote, of a kind or with arguments that this one does not know."""

import pytest
from prometheus_client import REGISTRY

from purchases.worker import run_jobs
from tests.integration.purchases.harness import Harness, Json

WRITE = """
    insert into stripe_commands (kind, key, subject, arguments, state, version, due_at, attempts)
    values (:kind, :key, 'p1', '{}', 'open', 1, now() - cast(:minutes as int) * interval '1 minute', 0)
"""


async def _write(harness: Harness, kind: str, *, minutes: int = 0) -> None:
    await harness.execute(WRITE, kind=kind, key=f"{kind}:p1", minutes=minutes)


async def _row(harness: Harness, kind: str) -> Json:
    (row,) = await harness.jobs(kind)
    return row


async def test_what_a_newer_version_wants_is_left_to_its_workers(harness: Harness) -> None:
    await _write(harness, "not_thought_of_yet")

    assert not await harness.loop.do_one()

    row = await _row(harness, "not_thought_of_yet")
    assert (row["state"], row["attempts"]) == ("open", 0)


@pytest.mark.parametrize(
    ("kind", "minutes", "seen"), [("not_thought_of_yet", 11, 1), ("not_thought_of_yet", 9, 0), ("adopt_card", 11, 0)]
)
async def test_an_operator_sees_how_many_jobs_no_worker_knows_after_a_rollback(
    harness: Harness, kind: str, minutes: int, seen: int
) -> None:
    await _write(harness, kind, minutes=minutes)

    await harness.loop.update_gauges()

    assert seen == REGISTRY.get_sample_value("billing_stripe_commands_unknown")


async def test_a_job_that_cannot_be_read_waits_for_another_version_and_reaches_staff_after_a_while(
    harness: Harness,
) -> None:
    await _write(harness, "look_at_subscription")
    states = []
    for _ in range(run_jobs.SET_ASIDE_AFTER):
        await harness.execute("update stripe_commands set due_at = now()")
        await harness.loop.do_one()  # of a process that was started again, each time
        states.append((await _row(harness, "look_at_subscription"))["state"])

    assert states == ["open"] * (run_jobs.SET_ASIDE_AFTER - 1) + ["parked"]
    assert "workspace_id: Field required" in (await _row(harness, "look_at_subscription"))["last_error"]
