"""What Stripe answers about our key (401, 403) is no refusal: callers come again, and somebody is called."""

from typing import Any, Final

import httpx
import pytest
from prometheus_client import REGISTRY

from tests.integration.purchases.harness import PRICE, Harness
from tests.integration.purchases_api.conftest import Api
from tests.seen import problem_of

Json = dict[str, Any]
BACK: Final = {"return_url": "https://app.example/back"}
ORDER: Final = {"addon": "setup", "expected_price_cents": PRICE, "expected_currency": "EUR"}


def forbidden(right: str) -> float:
    """How often the metric has counted this right as missing."""
    return REGISTRY.get_sample_value("billing_stripe_forbidden_total", {"right": right}) or 0.0


async def buy(api: Api, workspace: str) -> httpx.Response:
    async with api.owner(workspace) as owner:
        return await owner.post(f"/v1/workspaces/{workspace}/purchases", json=ORDER, headers={"Idempotency-Key": "k-1"})


@pytest.mark.parametrize(
    "fault", [{"fault": "forbidden"}, {"fault": "error_before", "status": 401, "stored": False}], ids=["403", "401"]
)
async def test_before_a_row_exists_the_answer_is_503_with_when_to_come_again(
    harness: Harness, api: Api, fault: Json
) -> None:
    await harness.given_an_addon()
    workspace = await harness.given_a_workspace()
    await harness.control.fault(**fault, operation="customers.retrieve", times=2)
    before = forbidden("rak_customer_read")

    bought = await buy(api, workspace)
    async with api.owner(workspace) as owner:
        saved = await owner.post(f"/v1/workspaces/{workspace}/setup-sessions", json=BACK)

    for answer in (bought, saved):
        assert (answer.status_code, problem_of(answer)) == (503, "stripe-unavailable")
        assert int(answer.headers["Retry-After"]) > 0
    assert await harness.rows("select 1 from workspace_addon_purchases") == []
    assert forbidden("rak_customer_read") - before == (2 if fault["fault"] == "forbidden" else 0)


async def test_after_that_the_purchase_is_pending_and_the_missing_right_is_counted_by_name(
    harness: Harness, api: Api
) -> None:
    await harness.given_an_addon()
    workspace = await harness.given_a_workspace()
    await harness.control.fault("forbidden", operation="invoices.create")
    before = forbidden("rak_invoice_write")

    answer = await buy(api, workspace)

    assert (answer.status_code, answer.json()["status"]) == (202, "pending")
    assert forbidden("rak_invoice_write") - before == 1
