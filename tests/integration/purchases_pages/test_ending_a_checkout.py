"""A card says when buying it ends the plan's open Checkout, with what; and says it then only."""

import pytest

from tests.integration.purchases.harness import Harness
from tests.integration.purchases_pages.conftest import Site
from tests.integration.purchases_pages.owners import Owner, an_owner
from tests.integration.purchases_pages.reading import Page
from tests.integration.purchases_pages.shops import BUY, a_service

ALONE = (
    "It waits in an open checkout with your plan. Buying it here ends that checkout: "
    "nothing of that is charged, and the plan has to be chosen anew."
)
IN_A_BUNDLE = (
    "It waits in an open checkout with your plan and with Audit. Buying it here ends that checkout with all that is in "
    "it: nothing of that is charged, and the rest has to be chosen anew."
)
ENDS = "ends that checkout"
BUY_THE_AUDIT = "Buy now Audit"


async def statuses(owner: Owner) -> dict[str, set[str]]:
    """Of the purchases, by add-on; and of the Checkout."""
    rows = await owner.harness.rows(
        "select addon_slug as what, status from workspace_addon_purchases "
        "union all select 'checkout', state from checkout_sessions"
    )
    return {row["what"]: {one["status"] for one in rows if one["what"] == row["what"]} for row in rows}


async def services(owner: Owner) -> Page:
    return await owner.browser.open(f"/app/{owner.workspace}/billing/addons")


async def in_a_checkout(harness: Harness, site: Site, *addons: str) -> Owner:
    """On sale are both services; in the Checkout of the plan are `addons`."""
    owner = await an_owner(harness, site, "pm_card_visa")
    await harness.deliver(a_service())
    await owner.upgrade(*addons)
    return owner


@pytest.mark.parametrize(
    ("bundle", "said", "left"),
    [(("setup",), ALONE, {}), (("setup", "audit"), IN_A_BUNDLE, {"audit": {"cancelled"}})],
)
async def test_what_buying_ends_is_said_at_its_button(
    harness: Harness, site: Site, bundle: tuple[str, ...], said: str, left: dict[str, set[str]]
) -> None:
    owner = await in_a_checkout(harness, site, *bundle)

    page = await services(owner)
    bought = await owner.browser.submit(page.form(BUY))

    assert f"€499.00 {said} Buy now Professional AI Setup" in page.text
    assert page.elements["buy-setup"]["aria-describedby"] == "ends-setup"
    assert "ends-setup" in page.elements
    assert "You have bought Professional AI Setup" in bought.text
    assert await statuses(owner) == {"setup": {"paid", "cancelled"}, "checkout": {"expired"}, **left}
    assert ENDS not in bought.text


async def test_what_is_not_in_the_checkout_ends_nothing_and_says_nothing(harness: Harness, site: Site) -> None:
    owner = await in_a_checkout(harness, site, "setup")

    page = await services(owner)
    bought = await owner.browser.submit(page.form(BUY_THE_AUDIT))

    assert page.elements["buy-audit"].get("aria-describedby") is None
    assert "ends-audit" not in page.elements
    assert "You have bought Audit" in bought.text
    assert await statuses(owner) == {"setup": {"pending"}, "audit": {"paid"}, "checkout": {"open"}}


async def test_a_checkout_that_ran_out_is_not_said_to_be_open(harness: Harness, site: Site) -> None:
    owner = await in_a_checkout(harness, site, "setup", "audit")

    await harness.execute("update checkout_sessions set expires_at = now() - interval '1 minute'")
    page = await services(owner)

    assert {"setup", "audit"} == {form.fields["addon"] for form in page.forms if "addon" in form.fields}
    assert ENDS not in page.text


async def test_who_has_to_wait_after_declines_ends_no_checkout_with_an_old_form(harness: Harness, site: Site) -> None:
    owner = await in_a_checkout(harness, site, "setup")
    form = (await services(owner)).form(BUY)
    await harness.execute(
        """
        insert into workspace_addon_purchases
        select (jsonb_populate_record(p, jsonb_build_object(
            'id', gen_random_uuid(), 'idempotency_key', n::text, 'status', 'failed', 'payable', false,
            'declined_at', now()
        ))).*
        from workspace_addon_purchases p, generate_series(1, 6) n
        """
    )

    page = await services(owner)
    refused = await owner.browser.submit(form)

    assert (refused.status, ENDS in page.text, BUY in page.disabled) == (429, False, True)
    assert await statuses(owner) == {"setup": {"pending", "failed"}, "checkout": {"open"}}
