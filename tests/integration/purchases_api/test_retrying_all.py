"""What is parked is tried again all at once, by kind: through the API, and by a command."""

import asyncio
import os
import sys

import httpx

from purchases.ledger.rows import Purchase
from tests.integration.purchases.harness import Harness
from tests.integration.purchases_api.test_parked import PARKED, given_one_of_each, listed
from tests.seen import problem_of

SOME = """
    insert into stripe_commands (kind, key, subject, arguments, state, version, due_at, attempts, ended_at)
    select 'void', 'void:' || n, n::text, '{}', 'parked', 1, now(), 3, now() from generate_series(1, 450) n
"""
STATES = "select state, count(*) as number from stripe_commands group by state"


async def test_every_command_is_open_again_with_who_decided_it(harness: Harness, staff: httpx.AsyncClient) -> None:
    """More than one transaction takes, and each under the next attempt."""
    await harness.execute(SOME)

    answer = await staff.post(f"{PARKED}/retry", json={"kind": "command"})

    assert (answer.status_code, answer.json()) == (202, {"retried": 450})
    assert await harness.rows(STATES) == [{"state": "open", "number": 450}]
    assert await harness.rows("select distinct arguments from stripe_commands") == [{"arguments": {"attempt": 2}}]
    assert await harness.rows("select decision, actor, count(*) as number from parked_decisions group by 1, 2") == [
        {"decision": "retry", "actor": "staff:mira", "number": 450}
    ]


async def test_only_those_of_one_kind_when_staff_say_so(harness: Harness, staff: httpx.AsyncClient) -> None:
    await harness.execute(SOME)
    await harness.execute("update stripe_commands set kind = 'settle' where subject = '7'")

    answer = await staff.post(f"{PARKED}/retry", json={"kind": "command", "about": "settle"})

    assert answer.json() == {"retried": 1}
    assert await harness.rows("select subject from stripe_commands where state = 'open'") == [{"subject": "7"}]


async def test_facts_and_payments_too_and_nothing_of_the_other_kinds(
    harness: Harness, staff: httpx.AsyncClient
) -> None:
    purchase: Purchase = await given_one_of_each(harness)
    await harness.execute("update parked set retry_at = null")

    facts = await staff.post(f"{PARKED}/retry", json={"kind": "fact"})
    payments = await staff.post(f"{PARKED}/retry", json={"kind": "payment"})

    assert [facts.json(), payments.json()] == [{"retried": 1}, {"retried": 1}]
    assert len(await harness.rows("select 1 from parked where retry_at is not null")) == 1
    settling = await harness.rows("select subject from stripe_commands where kind = 'settle' and state = 'open'")
    assert settling == [{"subject": str(purchase.id)}]
    kinds = {item["kind"]: [one["decision"] for one in item["decisions"]] for item in await listed(staff)}
    assert kinds == {"command": [], "fact": ["retry"], "payment": ["retry"]}


async def test_a_kind_that_there_is_not_is_refused(staff: httpx.AsyncClient) -> None:
    answer = await staff.post(f"{PARKED}/retry", json={"kind": "everything"})

    assert (answer.status_code, problem_of(answer)) == (422, "invalid-request")


async def test_an_operator_does_it_with_a_command(harness: Harness) -> None:
    await harness.execute(SOME)

    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "purchases", "retry-parked", "--kind", "command", "--about", "void"),
        env=os.environ | {"APP_ENV": "testing", "DATABASE_URL": harness.database.url},
        stdout=asyncio.subprocess.PIPE,
    )
    printed, _ = await process.communicate()

    assert (process.returncode, printed.decode().splitlines()[-1]) == (0, "450 tried again")
    assert await harness.rows(STATES) == [{"state": "open", "number": 450}]
