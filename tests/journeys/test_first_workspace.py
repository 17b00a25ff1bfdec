"""Whoever opens the pages of `make up` first is at home somewhere: the issuer's people have a workspace."""

from sandbox.driver import Driver
from sandbox.first_workspace import register_first_workspace
from sandbox.issuer.people import chosen
from sandbox.shop import bearer


async def test_the_owner_of_the_sign_in_page_has_a_workspace_however_often_the_stack_is_started(driver: Driver) -> None:
    register_first_workspace(driver.stack)
    register_first_workspace(driver.stack)

    olivia = await driver.token(**chosen({"person": "owner"}))
    billing = await driver.http.get(f"{driver.stack.purchases_url}/v1/workspaces/acme/billing", headers=bearer(olivia))

    assert (billing.status_code, billing.json()["plan"]["slug"]) == (200, "free")
