"""Rows that an earlier version wrote are carried to their end by this one: jobs in `stripe_commands`, parked facts.

`tests/fixtures/before` is what those versions wrote. It only grows: a row may lie in a database for as long as Stripe
is away, or staff have not looked at it.
"""

import json
from base64 import b64encode
from pathlib import Path
from typing import Any, Final

import pytest

from purchases.worker.jobs import KINDS
from tests.integration.purchases.harness import INSTANCE, Harness
from tests.integration.purchases.left_to_do import LEFT_TO_DO
from tests.integration.purchases.subscribers import given_the_plans

Json = dict[str, Any]
BEFORE: Final = Path(__file__).parents[2] / "fixtures/before"
JOBS: Final[list[Json]] = json.loads((BEFORE / "stripe_commands.json").read_text())
PARKED: Final[list[Json]] = json.loads((BEFORE / "parked.json").read_text())
WRITE: Final = """
    insert into stripe_commands (kind, key, subject, arguments, state, version, due_at, attempts)
    values (:kind, :key, :subject, cast(:arguments as jsonb), 'open', 1, now(), 0)
"""
AGAIN: Final = frozenset({"sweep_reach", "sweep_subscriptions", "sweep_periods"})
"""They come due again by themselves, for ever."""
PARK: Final = """
    insert into parked (consumer, fact_id, type, topic, partition, "offset", key, headers, value, reason, waits_for)
    values ('purchases', cast(:fact_id as uuid), :type, :topic, 0, 1, :key, cast(:headers as jsonb), :value, :reason,
        :waits_for)
"""


def filled(row: Json, ids: dict[str, str]) -> Json:
    """The row with the ids of this test in the place of their names."""
    text = json.dumps(row)
    for name, value in ids.items():
        text = text.replace(f"<{name}>", value)
    assert "<" not in text
    found: Json = json.loads(text)
    return found


def test_every_kind_of_job_was_written_before() -> None:
    assert {job["kind"] for job in JOBS} >= set(KINDS)


@pytest.mark.parametrize("job", JOBS, ids=lambda job: "-".join((job["kind"], *job["arguments"])))
async def test_a_job_that_an_earlier_version_wrote_is_done(harness: Harness, job: Json) -> None:
    left = await LEFT_TO_DO[job["kind"]](harness)
    row = filled(job, dict(left.ids))
    await harness.execute("delete from stripe_commands")
    assert await left.seen() != left.expected
    key = f"{row['kind']}:{row['subject']}"
    await harness.execute(WRITE, **(row | {"key": key, "arguments": json.dumps(row["arguments"])}))

    await harness.loop.do_one()
    await harness.settle_everything()

    ended = await harness.rows("select state, last_error from stripe_commands where key = :key", key=key)
    assert ended == [{"state": "open" if row["kind"] in AGAIN else "done", "last_error": None}]
    assert await left.seen() == left.expected


async def park(harness: Harness, row: Json) -> None:
    """Write it as the table has it: names and values of the headers in Base64's alphabet, key and value as bytes."""
    headers = [[name, b64encode(value.encode()).decode()] for name, value in row["headers"]]
    await harness.execute(
        PARK,
        fact_id=dict(row["headers"])["ce_id"],
        key=row["key"].encode(),
        headers=json.dumps(headers),
        value=json.dumps(row["value"]).encode(),
        **{name: row[name] for name in ("type", "topic", "reason", "waits_for")},
    )


async def test_a_refund_that_an_earlier_version_set_aside_is_taken_when_its_payment_is_known(harness: Harness) -> None:
    left = await LEFT_TO_DO["identify"](harness)
    (refund,) = (await harness.control.objects(kind="refund"))["refund"]
    await harness.execute("delete from parked")
    await park(harness, filled(PARKED[0], {**left.ids, "stripe_refund": refund["id"]}))

    await harness.settle_everything()

    assert await left.seen() == left.expected
    assert await harness.parked() == []


async def test_a_subscription_that_an_earlier_version_set_aside_is_taken_when_its_workspace_comes(
    harness: Harness,
) -> None:
    plans, metadata = await given_the_plans(harness), {"quittance_instance": INSTANCE, "workspace_id": "ws-later"}
    customer = await harness.client.v1.customers.create_async({"metadata": metadata})
    await harness.give_card(customer.id, "pm_card_visa")
    made = await harness.client.v1.subscriptions.create_async(
        {"customer": customer.id, "items": [{"price": plans.monthly}], "metadata": metadata}
    )
    ids = {"subscription": made.id, "customer": customer.id, "price": plans.monthly}
    await park(harness, filled(PARKED[1], ids | {"workspace": "ws-later"}))

    await harness.given_a_workspace(workspace_id="ws-later")
    await harness.settle_everything()

    assert await harness.rows("select plan from workspaces where id = 'ws-later'") == [{"plan": "builder"}]
    assert await harness.parked() == []
