"""What is resolved for long is deleted: parked facts with the ids that they name, and jobs that ended."""

from datetime import timedelta

import pytest

from chassis.database.database import plain_connection
from chassis.outbox.pruning import keep_pruned, prune_all
from chassis.process.health import Health
from chassis.process.process import background
from purchases.jobs import store as jobs
from purchases.jobs.kinds import AdoptCard
from purchases.jobs.store import enqueue
from purchases.worker.pruned import PRUNES
from tests.integration.purchases.harness import Harness
from tests.stack.parked_rows import KEPT, LONG_RESOLVED, parked_rows, until_pruned

DAYS_90 = timedelta(days=90)
ENDED = """insert into stripe_commands (kind, key, subject, arguments, state, version, due_at, attempts, ended_at)
    select 'adopt_card', 'adopt_card:' || state || ago, state || ago, '{}', state, 1, now(), 0,
        case when state <> 'open' then now() - ago * interval '1 day' end
    from unnest(array['open', 'done', 'parked', 'discarded']) as state, unnest(array[89, 91]) as ago"""


@pytest.fixture
async def crowded(harness: Harness) -> Harness:
    await harness.execute(parked_rows("purchases"))
    await harness.execute("insert into parked_references select 'in_' || \"offset\", fact_id from parked")
    await harness.execute(
        "insert into parked_decisions (item, decision, actor) select 'fact-' || id, 'd', 'a' from parked"
    )
    await harness.execute(ENDED)
    return harness


async def test_parked_facts_go_with_their_references_and_what_staff_decided_stays(crowded: Harness) -> None:
    async with (
        plain_connection(crowded.database.url, name="test") as connection,
        background("pruning", lambda: keep_pruned(crowded.database, PRUNES, kept=DAYS_90, health=Health())),
    ):
        await until_pruned(connection, LONG_RESOLVED)

    assert [row["reference"] for row in await crowded.rows("select reference from parked_references order by 1")] == [
        f"in_{kept}" for kept in KEPT
    ]
    assert len(await crowded.rows("select id from parked_decisions")) == LONG_RESOLVED.stop


async def test_jobs_that_ended_go_and_those_that_wait_for_somebody_stay(crowded: Harness) -> None:
    await prune_all(crowded.database, "stripe_commands", PRUNES["stripe_commands"], kept=DAYS_90, health=Health())

    left = sorted(job["subject"] for job in await crowded.jobs("adopt_card"))
    assert left == ["discarded89", "done89", "open89", "open91", "parked89", "parked91"]


async def test_a_job_that_was_deleted_can_be_enqueued_again(crowded: Harness) -> None:
    await prune_all(crowded.database, "stripe_commands", PRUNES["stripe_commands"], kept=DAYS_90, health=Health())

    async with crowded.database.transaction() as session:
        await enqueue(session, AdoptCard(workspace_id="done91"))

    (again,) = [job for job in await crowded.jobs("adopt_card") if job["subject"] == "done91"]
    assert (again["state"], again["version"]) == ("open", 1)


async def test_a_job_that_is_enqueued_at_this_moment_is_passed_over(crowded: Harness) -> None:
    async with crowded.database.transaction() as session:
        await enqueue(session, AdoptCard(workspace_id="done91"))
        async with crowded.database.transaction() as other:
            assert await jobs.prune(other, DAYS_90, 10) == 1  # the discarded one

    states = {job["subject"]: job["state"] for job in await crowded.jobs("adopt_card")}
    assert states["done91"] == "open"


async def test_a_job_that_staff_discard_is_kept_from_that_day_on(crowded: Harness) -> None:
    (parked,) = [job for job in await crowded.jobs("adopt_card") if job["subject"] == "parked91"]
    async with crowded.database.transaction() as session:
        await jobs.discard(session, parked["id"])

    await prune_all(crowded.database, "stripe_commands", PRUNES["stripe_commands"], kept=DAYS_90, health=Health())

    assert "parked91" in [job["subject"] for job in await crowded.jobs("adopt_card")]
