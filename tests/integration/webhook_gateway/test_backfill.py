"""The command `backfill`: Stripe's whole list, under the ids of webhooks, in parts that go on where one stopped."""

import asyncio
import json
import os
import re
import shlex
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import stripe

from chassis.web.server import HttpServer
from sandbox.stripe.app import create_app
from sandbox.stripe.control import StripeControl
from tests.integration.webhook_gateway.conftest import Gateway, published

KEY = "sk_test_backfill"
MANY = 105
"""Events, more than one page of Stripe's list."""


@dataclass(frozen=True)
class Done:
    status: int
    out: str
    err: str

    @property
    def going_on(self) -> list[str]:
        """The options that the first page's line prints."""
        [first, *_] = re.findall(r"go on: (.*)", self.out)
        return shlex.split(first)


@dataclass(frozen=True, kw_only=True)
class Account:
    """A Stripe account without a webhook endpoint."""

    url: str
    control: StripeControl
    bootstrap: str

    async def given_deleted_customers(self, number: int) -> list[str]:
        """Return the ids of the events, oldest first."""
        client = stripe.StripeClient(
            KEY, base_addresses={"api": self.url}, http_client=stripe.HTTPXClient(allow_sync_methods=False)
        )
        for _ in range(number):
            customer = await client.v1.customers.create_async({})
            await client.v1.customers.delete_async(customer.id)
        http: Any = client._requestor._client
        await http.close_async()
        return [event["id"] for event in await self.control.events(type="customer.deleted")]

    async def backfill(self, *words: str, **environment: str | None) -> Done:
        """Run the command as an operator does."""
        settings = {
            "APP_ENV": "local",
            "KAFKA_BOOTSTRAP_SERVERS": self.bootstrap,
            "STRIPE_SECRET_KEY": KEY,
            "STRIPE_API_BASE": self.url,
            "BACKFILL_EVENTS_PER_SECOND": "10000",
            "BACKFILL_CALLS_PER_SECOND": "1000",
        }
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("STRIPE_", "KILL_"))}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "webhook_gateway", "backfill", *words),
            env={name: value for name, value in (inherited | settings | environment).items() if value is not None},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(120):
            out, err = await process.communicate()
        return Done(process.returncode or 0, out.decode(), err.decode())


@pytest.fixture
async def account(kafka_bootstrap: str) -> AsyncIterator[Account]:
    async with HttpServer(create_app(), "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.port}"
        async with StripeControl(url) as control:
            yield Account(url=url, control=control, bootstrap=kafka_bootstrap)


async def ids_on_kafka(account: Account, events: list[str]) -> list[tuple[str, bool]]:
    """Return which of the events are on the topic, as often as they are, and whether they are marked."""
    records = await published(account.bootstrap, *events)
    return [(fact.stripe_event_id, envelope.backfilled) for envelope, fact, _ in records]


async def test_each_event_of_the_list_is_published_marked_and_what_is_not_handled_is_counted(account: Account) -> None:
    """Given two pages of events that no webhook brought."""
    lost = await account.given_deleted_customers(MANY)

    done = await account.backfill("--since", "1h")

    assert done.status == 0, done.err
    assert sorted((event, True) for event in lost) == sorted(await ids_on_kafka(account, lost))
    assert f"{2 * MANY} listed: {MANY} published, {MANY} unhandled" in done.out


async def test_a_run_goes_on_behind_the_event_that_another_printed(account: Account) -> None:
    """What one page published, the next run does not publish again; together they miss nothing."""
    lost = await account.given_deleted_customers(MANY)
    first = await account.backfill("--since", "1h")

    second = await account.backfill(*first.going_on)

    assert (first.status, second.status) == (0, 0), second.err
    found = [event for event, _ in await ids_on_kafka(account, lost)]
    assert len(set(found)) == MANY
    assert f"{2 * MANY - 100} listed" in second.out
    assert len(found) < 2 * MANY


async def test_an_event_has_the_id_that_its_webhook_has(account: Account, gateway: Gateway) -> None:
    """So an inbox that knows the one drops the other, in whatever order they come."""
    [lost] = await account.given_deleted_customers(1)
    [event] = await account.control.events(type="customer.deleted")

    answer = await gateway.post(json.dumps(event).encode())
    done = await account.backfill("--since", "1h")

    assert (answer.status_code, done.status) == (200, 0), done.err
    envelopes = [envelope for envelope, _, _ in await published(account.bootstrap, lost)]
    assert len({envelope.id for envelope in envelopes}) == 1
    assert {False, True} == {envelope.backfilled for envelope in envelopes}


async def test_a_rate_limit_or_a_fault_of_stripes_is_waited_out(account: Account) -> None:
    lost = await account.given_deleted_customers(1)
    await account.control.fault("rate_limit", operation="events.list", times=1)
    await account.control.fault("error_before", operation="events.list", times=1)

    done = await account.backfill("--since", "1h")

    assert done.status == 0, done.err
    assert await ids_on_kafka(account, lost) == [(lost[0], True)]


async def test_a_key_without_the_right_ends_it_with_stripes_reason_and_without_the_key(account: Account) -> None:
    await account.control.fault("forbidden", operation="events.list", times=1)

    done = await account.backfill("--since", "1h")

    assert done.status == 1
    assert "stopped: Stripe answers 403" in done.err
    assert KEY not in done.out + done.err


async def test_an_event_of_the_other_mode_is_left_out_and_named(account: Account) -> None:
    """The envelope is checked as a webhook's is."""
    lost = await account.given_deleted_customers(1)

    done = await account.backfill("--since", "1h", STRIPE_LIVEMODE="true")

    assert done.status == 0, done.err
    assert await ids_on_kafka(account, lost) == []
    assert "2 wrong-mode" in done.out
    assert lost[0] in done.out + done.err


@pytest.mark.parametrize(
    ("words", "environment", "status", "said"),
    [
        (["--since", "31d"], {}, 2, "python -m purchases sweep"),
        (["--since", "3"], {}, 2, "neither a period"),
        (["--since", "2026-11-30T00:00"], {}, 2, "no time zone"),
        (["--since", "3d", "--after", "in_1"], {}, 2, "no id of an event"),
        ([], {}, 2, "--since"),
        (["--since", "3d"], {"STRIPE_SECRET_KEY": None}, 1, "STRIPE_SECRET_KEY is not set"),
        (["--since", "3d"], {"APP_ENV": None}, 1, "STRIPE_LIVEMODE is not set"),
    ],
)
async def test_what_cannot_be_meant_is_refused_and_named(
    account: Account, words: list[str], environment: dict[str, str | None], status: int, said: str
) -> None:
    done = await account.backfill(*words, **environment)

    assert done.status == status
    assert said in done.out + done.err


async def test_stripe_forgets_after_thirty_days(account: Account) -> None:
    """The list ends there, whatever is asked for: the sweep covers the rest."""
    await account.given_deleted_customers(1)
    await account.control.advance(seconds=31 * 24 * 3600)
    recent = await account.given_deleted_customers(1)

    done = await account.backfill("--since", "30d", "--until", "2100-01-01T00:00Z")

    assert done.status == 0, done.err
    assert [event for event, _ in await ids_on_kafka(account, recent)] == [recent[-1]]
