"""Refunds and disputes of the plan's payments as a list: for a workspace's owner and admins, and for staff."""

from typing import Any

import httpx
import pytest

from tests.integration.purchases.checkouts import given_builder_and_two_addons
from tests.integration.purchases.harness import Harness
from tests.integration.purchases.test_plan_money import hear, subscribed
from tests.integration.purchases_api.conftest import Api
from tests.seen import problem_of

Json = dict[str, Any]
KINDS = ("refunds", "disputes")


async def given_money_back(harness: Harness) -> tuple[str, list[str], str]:
    """A workspace, its plan's refunds, the newest first, and its dispute."""
    await given_builder_and_two_addons(harness)
    workspace, invoice = await subscribed(harness)
    refunds = [await harness.control.refund_as_dashboard(invoice=invoice, amount=cents) for cents in (100, 200, 300)]
    dispute = await harness.control.open_dispute(invoice=invoice)
    await hear(harness, await harness.facts())
    rows = await harness.rows("select stripe_refund_id from workspace_refunds order by recorded_at desc, 1 desc")
    assert {row["stripe_refund_id"] for row in rows} == {one["id"] for one in refunds}
    return workspace, [row["stripe_refund_id"] for row in rows], dispute["id"]


async def pages(client: httpx.AsyncClient, path: str, kind: str, **query: str | int) -> list[list[Json]]:
    """Every page of the list."""
    found, cursor = [], ""
    while True:
        answer = await client.get(path, params=query | ({"cursor": cursor} if cursor else {}))
        assert answer.status_code == 200, answer.text
        found.append(answer.json()[kind])
        if not (cursor := answer.json()["next_cursor"] or ""):
            return found


async def test_the_owner_reads_them_page_by_page(harness: Harness, api: Api) -> None:
    workspace, refunds, dispute = await given_money_back(harness)

    async with api.owner(workspace) as owner:
        shown = await pages(owner, f"/v1/workspaces/{workspace}/plan-refunds", "refunds", limit=2)
        (disputed,) = await pages(owner, f"/v1/workspaces/{workspace}/plan-disputes", "disputes")

    assert [[one["stripe_refund_id"] for one in page] for page in shown] == [refunds[:2], refunds[2:]]
    assert {(one["refund"], one["refund_cents"], one["currency"], one["status"]) for one in shown[1]} <= {
        (f"{cents / 100:.2f}", cents, "EUR", "succeeded") for cents in (100, 200, 300)
    }
    assert [(one["stripe_dispute_id"], one["dispute_cents"], one["closed_at"]) for one in disputed] == [
        (dispute, 300, None)
    ]
    assert "whole_cents" not in disputed[0]


async def test_staff_read_those_of_all_workspaces_or_of_one(
    harness: Harness, api: Api, staff: httpx.AsyncClient
) -> None:
    workspace, refunds, dispute = await given_money_back(harness)

    (all_of_them,) = await pages(staff, "/v1/admin/plan-refunds", "refunds")
    (of_one,) = await pages(staff, "/v1/admin/plan-disputes", "disputes", workspace=workspace)
    (of_another,) = await pages(staff, "/v1/admin/plan-refunds", "refunds", workspace="ws-another")

    assert [one["stripe_refund_id"] for one in all_of_them] == refunds
    assert [(one["stripe_dispute_id"], one["workspace_id"], one["whole_cents"]) for one in of_one] == [
        (dispute, workspace, 300)
    ]
    assert of_one[0]["evidence_due_at"] is not None
    assert of_another == []


@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_no_cursor_of_the_list_is_refused(
    harness: Harness, api: Api, staff: httpx.AsyncClient, kind: str
) -> None:
    workspace = await harness.given_a_workspace()
    async with api.owner(workspace) as owner:
        for client, path in ((owner, f"/v1/workspaces/{workspace}/plan-{kind}"), (staff, f"/v1/admin/plan-{kind}")):
            answer = await client.get(path, params={"cursor": "nonsense"})

            assert (answer.status_code, problem_of(answer)) == (422, "invalid-cursor")


@pytest.mark.parametrize("kind", KINDS)
async def test_an_editor_and_a_stranger_do_not_see_them(harness: Harness, api: Api, kind: str) -> None:
    workspace = await harness.given_a_workspace()

    for claims, status in (({workspace: "editor"}, 403), ({"ws-another": "owner"}, 404)):
        async with api.of({"sub": "eve", "workspaces": claims}) as client:
            assert (await client.get(f"/v1/workspaces/{workspace}/plan-{kind}")).status_code == status
