"""What Stripe refuses leaves a trace for staff, whatever was asked: its code, its words and the parameter it names."""

from collections.abc import Mapping
from typing import Any, Final

import httpx
import pytest
from prometheus_client import REGISTRY

from tests.integration.purchases.checkouts import given_builder_and_two_addons
from tests.integration.purchases.harness import PRICE, Harness
from tests.integration.purchases_api.conftest import Api
from tests.seen import problem_of

Json = dict[str, Any]
REFUSALS: Final = "/v1/admin/stripe-refusals"
BACK: Final = "https://app.example/back"
ORDER: Final = {"addon": "setup", "expected_price_cents": PRICE, "expected_currency": "EUR"}
CHECKOUT: Final = {"plan": "builder", "interval": "month", "currency": "EUR", "success_url": BACK, "cancel_url": BACK}
REQUESTS: Final[Mapping[str, tuple[str, Json]]] = {
    "purchases": ("purchases", ORDER),
    "setup": ("setup-sessions", {"return_url": BACK}),
    "portal": ("portal-sessions", {"return_url": BACK}),
    "checkout": ("checkout-sessions", CHECKOUT),
}
NO: Final[Mapping[str, Any]] = {
    "code": "currency_not_supported",
    "param": "currency",
    "message": "Not with rk_live_51HmSecret, no.",
}


async def ask(api: Api, workspace: str, request: str) -> httpx.Response:
    path, body = REQUESTS[request]
    async with api.owner(workspace) as owner:
        return await owner.post(f"/v1/workspaces/{workspace}/{path}", json=body, headers={"Idempotency-Key": "k"})


async def refusals(staff: httpx.AsyncClient, **query: str) -> list[Json]:
    answer = await staff.get(REFUSALS, params=query)
    assert answer.status_code == 200, answer.text
    items: list[Json] = answer.json()["items"]
    return items


def counted(call: str) -> float:
    return REGISTRY.get_sample_value("billing_stripe_refusals_total", {"call": call, "code": NO["code"]}) or 0.0


@pytest.mark.parametrize(
    ("request_", "operation", "call", "card"),
    [
        ("purchases", "customers.retrieve", "read_customer", "pm_card_visa"),
        ("purchases", "checkout.sessions.create", "setup_session", None),
        ("purchases", "invoices.create", "draft", "pm_card_visa"),
        ("setup", "checkout.sessions.create", "setup_session", None),
        ("portal", "billing_portal.configurations.list", "portal_configurations", None),
        ("checkout", "checkout.sessions.create", "checkout_session", None),
    ],
)
async def test_it_is_answered_502_counted_and_kept_for_staff(
    harness: Harness,
    api: Api,
    staff: httpx.AsyncClient,
    request_: str,
    operation: str,
    call: str,
    card: str | None,
) -> None:
    await harness.given_an_addon()
    await given_builder_and_two_addons(harness)
    workspace = await harness.given_a_workspace(card)
    await harness.control.fault("refused", operation=operation, **NO)
    before = counted(call)

    answer = await ask(api, workspace, request_)

    assert (answer.status_code, problem_of(answer)) == (502, "stripe-refused")
    assert answer.json()["stripe_code"] == NO["code"]
    (kept,) = await refusals(staff)
    shown = {name: kept[name] for name in ("call", "code", "param", "message", "http_status", "times", "workspace_id")}
    assert shown == {
        "call": call,
        "code": NO["code"],
        "param": NO["param"],
        "message": "Not with [masked], no.",
        "http_status": 400,
        "times": 1,
        "workspace_id": workspace,
    }
    assert kept["stripe_request_id"].startswith("req_")
    assert counted(call) - before == 1


async def test_the_same_again_is_counted_up_and_another_one_stands_before_it(
    harness: Harness, api: Api, staff: httpx.AsyncClient
) -> None:
    workspace, other = await harness.given_a_workspace(), await harness.given_a_workspace()
    await harness.control.fault("refused", operation="checkout.sessions.create", times=3, **NO)

    for one in (workspace, workspace, other):
        await ask(api, one, "setup")

    assert [(one["workspace_id"], one["times"]) for one in await refusals(staff)] == [(other, 1), (workspace, 2)]
    assert [one["times"] for one in await refusals(staff, workspace=workspace)] == [2]
    first = (await staff.get(REFUSALS, params={"limit": 1})).json()
    second = (await staff.get(REFUSALS, params={"limit": 1, "cursor": first["next_cursor"]})).json()
    assert [one["workspace_id"] for one in (*first["items"], *second["items"])] == [other, workspace]


async def test_a_purchase_leads_to_what_it_met(harness: Harness, api: Api, staff: httpx.AsyncClient) -> None:
    await harness.given_an_addon()
    await harness.control.fault("refused", operation="invoices.create", **NO)

    purchase = (await ask(api, await harness.given_a_workspace(), "purchases")).json()["purchase"]

    assert (purchase["status"], purchase["failure_code"]) == ("failed", NO["code"])
    assert [one["purchase_id"] for one in await refusals(staff, purchase=purchase["id"])] == [purchase["id"]]


async def test_what_a_command_is_refused_stands_with_it(harness: Harness, staff: httpx.AsyncClient) -> None:
    """It is parked, with Stripe's words."""
    purchase = await harness.given_a_purchase("pm_card_authenticationRequired")
    await harness.execute("update workspace_addon_purchases set leased_until = null")
    await harness.control.fault("refused", operation="invoices.retrieve", **NO)

    await harness.run_jobs()

    (item,) = (await staff.get("/v1/admin/parked")).json()["items"]
    assert item["payload"]["subject"] == str(purchase.id)
    assert item["reason"] == "Stripe refused: Not with [masked], no. (currency_not_supported, parameter currency)"


async def test_it_is_forgotten_after_90_days(harness: Harness, api: Api, staff: httpx.AsyncClient) -> None:
    workspace, other = await harness.given_a_workspace(), await harness.given_a_workspace()
    await harness.control.fault("refused", operation="checkout.sessions.create", times=2, **NO)
    await ask(api, workspace, "setup")
    await harness.execute("update stripe_refusals set last_at = now() - interval '91 days'")

    await ask(api, other, "setup")

    assert [one["workspace_id"] for one in await refusals(staff)] == [other]
