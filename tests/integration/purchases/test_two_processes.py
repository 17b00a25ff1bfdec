"""Two admins with two tabs each, and a client that repeats itself, buy at once from two API processes: one charge."""

import asyncio
import uuid
from collections import Counter
from collections.abc import Sequence

import httpx

from contracts.purchase_facts import PurchasePaid, PurchaseStarted
from tests.integration.purchases.api import Api, api_processes
from tests.integration.purchases.harness import PRICE, Harness
from tests.seen import problem_of

ORDER = {"addon": "setup", "expected_price_cents": PRICE, "expected_currency": "EUR"}
WORKSPACES = 3
REPEATS = 6
TABS = 4


async def press(apis: Sequence[Api], workspace_id: str) -> list[httpx.Response]:
    """One key is sent again and again, the tabs have keys of their own; each press goes to the other process."""
    keys = [uuid.uuid4().hex] * REPEATS + [uuid.uuid4().hex for _ in range(TABS)]
    admins = [{"sub": f"admin-{number}", "workspaces": {workspace_id: "admin"}} for number in range(2)]
    presses = [
        apis[press % len(apis)].call(
            "POST",
            f"/v1/workspaces/{workspace_id}/purchases",
            token=admins[press // 2 % 2],
            json=ORDER,
            headers={"Idempotency-Key": key},
        )
        for press, key in enumerate(keys)
    ]
    return await asyncio.gather(*presses)


async def test_however_many_buy_at_once_from_two_processes_one_is_charged(harness: Harness, stripe_url: str) -> None:
    """And the connection of the first payment breaks after Stripe has taken the money."""
    await harness.given_an_addon()
    workspaces = [await harness.given_a_workspace() for _ in range(WORKSPACES)]
    await harness.control.fault("close_after", operation="invoices.pay")

    async with api_processes(harness.database.url, number=2, stripe_url=stripe_url) as apis:
        rounds = await asyncio.gather(*(press(apis, workspace) for workspace in workspaces))

    for answers in rounds:
        bought = [one for one in answers if one.is_success]
        seen = Counter(one.status_code for one in answers)
        assert seen in (Counter({201: 1, 200: REPEATS - 1, 409: TABS}), Counter({201: 1, 409: REPEATS + TABS - 1}))
        assert {problem_of(one) for one in answers if one.is_error} == {"already-purchased"}
        assert len({one.json()["id"] for one in bought}) == 1
        assert [one.json()["status"] for one in bought if one.status_code == 201] == ["paid"]
    assert (await harness.control.sums())["total"]["eur"] == {
        "captured": PRICE * WORKSPACES,
        "refunded": 0,
        "payments": WORKSPACES,
        "refunds": 0,
    }
    assert (
        len(await harness.published(kind=PurchaseStarted))
        == len(await harness.published(kind=PurchasePaid))
        == WORKSPACES
    )
