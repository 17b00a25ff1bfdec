"""While the product is upgraded, processes of two versions share the databases and Kafka, in either direction.

Jobs, outbox rows, parked rows, sessions and forms that one version left are carried to their end by the other.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import pytest

from sandbox.driver import Scene, Shop
from sandbox.processes import SERVICES
from sandbox.stack import EmbeddedStack
from tests.forms import PageForm, read
from tests.givens import given_a_pending_purchase
from tests.seen import captured
from tests.stack import earlier

Json = dict[str, Any]
Version = Mapping[str, str]
"""The settings that make a process run it."""
NOW: Final[Version] = {}
API: Final = ("purchases-api",)
REST: Final = tuple(service.name for service in SERVICES if service.name not in API)


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Version:
    """The version that is upgraded from."""
    try:
        return earlier.settings(earlier.unpack(tmp_path_factory.mktemp("earlier")))
    except earlier.NotInHistory as missing:
        pytest.skip(str(missing))


@pytest.fixture(params=["forward", "back"])
async def versions(
    request: pytest.FixtureRequest, stack: EmbeddedStack, before: Version
) -> AsyncIterator[tuple[Version, Version]]:
    """The one that runs first, and the one that comes after it; every process runs the first."""
    first, second = (before, NOW) if request.param == "forward" else (NOW, before)
    if first is not NOW:
        await run(stack, first, *API, *REST)
    yield first, second
    if second is not NOW:
        await run(stack, NOW, *API, *REST)


async def run(stack: EmbeddedStack, version: Version, *services: str) -> None:
    """Start these services again, as processes of that version."""
    await asyncio.gather(*(stack.restart(name, version) for name in services))


@pytest.mark.unrecorded("how far each version came is another with each run")
async def test_what_one_version_left_the_other_carries_to_its_end(
    stack: EmbeddedStack, scene: Scene, versions: tuple[Version, Version]
) -> None:
    _, second = versions
    shop, paid = await bought(scene)
    form = await form_of(scene, shop, await scene.given_an_addon(price="20.00"))
    at_the_bank = await given_a_pending_purchase(scene)
    early = await given_a_refund_that_waits_for_its_payment(scene)
    cheap = await scene.given_an_addon(price="10.00")
    await scene.until(lambda: nothing_is_leased(scene), "no job is under way: one cut off waits for its lease's end")
    await stack.stop_process("purchases-worker")
    await scene.end_mishaps()
    untold = (await scene.buy(shop, cheap)).json()
    await scene.move(paid["id"], "refund", amount_cents=10_000, reason="asked of the one version")
    assert await scene.witness.rows("purchases", "select id from outbox where key = $1", untold["id"])
    assert await scene.witness.rows(
        "purchases", "select id from stripe_commands where state = 'open' and kind = 'refund'"
    )

    await run(stack, second, *REST)
    beside = (await scene.buy(shop, await scene.given_an_addon(price="30.00"))).json()
    await scene.settle()
    assert await states(scene, paid, early, untold, beside) == ["paid", "refunded", "paid", "paid"]
    assert (await scene.record(paid["id"]))["refunded_cents"] == 10_000

    await run(stack, second, *API)
    await send(scene, shop, form)
    await scene.answer_bank(at_the_bank[1]["action_url"])
    after = (await scene.buy(shop, await scene.given_an_addon(price="40.00"))).json()
    await scene.settle()
    assert await states(scene, at_the_bank[1], after) == ["paid", "paid"]
    assert await captured(scene, shop) == (49_900 + 1_000 + 2_000 + 3_000 + 4_000, 5)


async def bought(scene: Scene) -> tuple[Shop, Json]:
    shop = await scene.given_a_workspace()
    answer = await scene.buy(shop, await scene.given_an_addon())
    await scene.settle()
    return shop, answer.json()


async def given_a_refund_that_waits_for_its_payment(scene: Scene) -> Json:
    """It is parked, since Stripe says nothing of the payment yet."""
    _, purchase = await given_a_pending_purchase(scene)
    await scene.settle()
    await scene.stripe.hold_webhooks("invoice*")
    await scene.stripe.fault("error_before", operation="invoices.retrieve", times=None, stored=False)
    await scene.answer_bank(purchase["action_url"])
    await scene.refund(purchase)
    query = "select id from parked where waits_for = $1 and resolved_at is null"
    await scene.until(lambda: scene.witness.rows("purchases", query, f"paid:{purchase['id']}"), "the refund waits")
    return purchase


async def nothing_is_leased(scene: Scene) -> bool:
    query = "select id from stripe_commands where state = 'open' and leased_until is not null"
    return not await scene.witness.rows("purchases", query)


async def form_of(scene: Scene, shop: Shop, addon: Json) -> PageForm:
    """The form that buys it, as the page shows it to the owner."""
    page = await scene.http.get(f"{scene.stack.pages_url}/app/{shop.workspace_id}/billing/addons", headers=cookie(shop))
    assert page.status_code == 200, page.text
    return next(form for form in read(page).forms if ("addon", addon["slug"]) in form.fields)


async def send(scene: Scene, shop: Shop, form: PageForm) -> None:
    headers = cookie(shop) | {"Origin": scene.stack.pages_url}
    answer = await scene.http.post(f"{scene.stack.pages_url}{form.action}", data=form.filled(), headers=headers)
    assert answer.status_code == 303, answer.text


def cookie(shop: Shop) -> dict[str, str]:
    return {"Cookie": f"quittance_session={shop.token}"}


async def states(scene: Scene, *purchases: Json) -> list[str]:
    return [(await scene.record(purchase["id"]))["status"] for purchase in purchases]
