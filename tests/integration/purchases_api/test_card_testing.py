"""Card testing is slowed down: declines are counted with the attempts under way, and over all workspaces."""

import asyncio
import uuid
from typing import Any, Final

import httpx
from prometheus_client import REGISTRY

from purchases.buying.card_testing import DECLINES_ALLOWED
from tests.integration.purchases.harness import PRICE, Harness
from tests.integration.purchases_api.conftest import Api
from tests.seen import problem_of

Json = dict[str, Any]
DECLINED: Final = "pm_card_chargeCustomerFail"
AT_ONCE: Final = 14
ELSEWHERE: Final = """
    insert into workspace_addon_purchases (id, workspace_id, plan_addon_id, addon_slug, addon_name, price_cents,
        currency, status, payable, sequence, idempotency_key, request_fingerprint, bought_by, declined_at, started_at,
        failed_at, updated_at)
    select gen_random_uuid(), :workspace, gen_random_uuid(), 'x', 'x', 100, 'EUR', 'failed', false, 1, 'k' || n, 'f',
        'user:x', now(), now(), now(), now()
    from generate_series(1, cast(:number as int)) n
"""


async def buy(api: Api, workspace: str, slug: str = "setup") -> httpx.Response:
    async with api.owner(workspace) as owner:
        return await owner.post(
            f"/v1/workspaces/{workspace}/purchases",
            json={"addon": slug, "expected_price_cents": PRICE, "expected_currency": "EUR"},
            headers={"Idempotency-Key": uuid.uuid4().hex},
        )


def braked() -> float | None:
    return REGISTRY.get_sample_value("billing_card_testing_brake")


async def given_declines_elsewhere(harness: Harness, number: int = 100) -> None:
    await harness.execute(ELSEWHERE, workspace=await harness.given_a_workspace(None), number=number)


async def test_of_fourteen_attempts_at_once_no_more_are_declined_than_one_by_one(harness: Harness, api: Api) -> None:
    for number in range(AT_ONCE + 1):
        await harness.given_an_addon(f"addon-{number}")
    workspace = await harness.given_a_workspace(DECLINED)
    await harness.control.fault("latency", operation="invoices.create", times=None, seconds=1)

    answers = await asyncio.gather(*(buy(api, workspace, f"addon-{number}") for number in range(AT_ONCE)))

    await harness.control.reset_faults()
    declined = [one for one in answers if one.status_code == 402]
    refused = [one for one in answers if one.status_code == 429]
    assert (len(declined), len(refused)) == (DECLINES_ALLOWED + 1, AT_ONCE - DECLINES_ALLOWED - 1)
    assert {(problem_of(one), one.headers["Retry-After"]) for one in refused} == {("too-many-declines", "1")}
    later = await buy(api, workspace, f"addon-{AT_ONCE}")
    assert later.status_code == 429
    assert int(later.headers["Retry-After"]) > 60


async def test_under_the_brake_a_stranger_gets_one_decline_an_hour(harness: Harness, api: Api) -> None:
    await harness.given_an_addon()
    workspace = await harness.given_a_workspace(DECLINED)
    await given_declines_elsewhere(harness)

    first = await buy(api, workspace)
    await harness.execute("update workspace_addon_purchases set payable = false")
    second = await buy(api, workspace)

    assert (first.status_code, second.status_code) == (402, 429)
    assert 3500 < int(second.headers["Retry-After"]) <= 3601
    assert braked() == 1


async def test_who_paid_before_or_subscribes_is_never_refused_by_it(harness: Harness, api: Api) -> None:
    for slug in ("setup", "training"):
        await harness.given_an_addon(slug)
    paid, subscribed = await harness.given_a_workspace(), await harness.given_a_workspace(DECLINED)
    assert (await buy(api, paid)).status_code == 201
    await harness.execute(
        "insert into subscriptions (stripe_subscription_id, workspace_id, status) values ('sub_1', :id, 'active')",
        id=subscribed,
    )
    await given_declines_elsewhere(harness)

    answers = [await buy(api, paid, "training"), *[await buy(api, subscribed, slug) for slug in ("setup", "training")]]

    assert [one.status_code for one in answers] == [201, 402, 402]


async def test_below_the_limit_and_after_ten_minutes_it_is_off(harness: Harness, api: Api) -> None:
    await harness.given_an_addon()
    workspace = await harness.given_a_workspace()
    await given_declines_elsewhere(harness, 99)
    await harness.loop.update_gauges()
    assert braked() == 0
    await given_declines_elsewhere(harness)
    await harness.loop.update_gauges()
    assert braked() == 1

    await harness.execute("update workspace_addon_purchases set declined_at = declined_at - interval '11 minutes'")
    await harness.loop.update_gauges()

    assert braked() == 0
    assert (await buy(api, workspace)).status_code == 201
