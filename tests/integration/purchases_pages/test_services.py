"""What the Services page shows: cards, why one cannot be bought, the history, and nothing that is markup."""

import pytest

from purchases.ledger.transitions import Status
from tests.integration.purchases.harness import Harness
from tests.integration.purchases_pages.conftest import Site
from tests.integration.purchases_pages.shops import a_service

MARKUP = '<img src=x onerror="alert(1)">'
BADGES = {
    "pending": ("yellow", "Pending"),
    "paid": ("blue", "Paid"),
    "delivered": ("green", "Delivered"),
    "failed": ("red", "Failed"),
    "cancelled": ("grey", "Cancelled"),
    "refunded": ("purple", "Refunded"),
}


async def test_a_card_says_what_is_sold_and_for_how_much(harness: Harness, site: Site) -> None:
    await harness.deliver(a_service(description="We look at it.", bullets=("First", "Second"), price_cents=123_456))
    await harness.deliver(a_service(slug="hidden", name="Hidden", is_active=False))
    here = f"/app/{await harness.given_a_workspace()}/billing/addons"

    page = await site.owner(here.split("/")[2], **{"Accept-Language": "de"}).open(here)

    assert "Audit We look at it. First Second 1.234,56 € Buy now Audit" in page.text
    assert "Hidden" not in page.text
    assert page.nav == ["Services", "Plan and billing", "Prices"]
    assert "help@pages.example" in page.text


async def test_without_services_and_purchases_the_page_says_so(harness: Harness, site: Site) -> None:
    workspace = await harness.given_a_workspace()

    page = await site.owner(workspace).open(f"/app/{workspace}/billing/addons")

    assert page.status == 200
    assert "No services available" in page.text
    assert "Nothing was bought yet." in page.text


async def test_markup_in_every_text_comes_out_as_text(harness: Harness, site: Site) -> None:
    await harness.deliver(a_service(name=MARKUP, description=MARKUP, bullets=(MARKUP,)))
    workspace = await harness.given_a_workspace()
    owner = site.owner(workspace)

    bought = await owner.submit((await owner.open(f"/app/{workspace}/billing/addons")).form(f"Buy now {MARKUP}"))

    assert bought.text.count(MARKUP) >= 5  # as text: on the card, in its list, in the news and in the history
    assert "x" not in bought.elements


@pytest.mark.parametrize("status", list(Status))
async def test_the_history_shows_each_status_with_its_badge(harness: Harness, site: Site, status: Status) -> None:
    purchase = await harness.given_a_purchase()
    await harness.put(purchase, status, payable=False)

    answer = await site.owner(purchase.workspace_id).http.get(f"/app/{purchase.workspace_id}/billing/addons")

    colour, word = BADGES[status]
    assert f'<span class="badge {colour}">{word}</span>' in answer.text


async def test_a_pending_purchase_is_looked_at_again_by_itself_and_a_settled_one_is_not(
    harness: Harness, site: Site
) -> None:
    purchase = await harness.given_a_purchase()
    here = f"/app/{purchase.workspace_id}/billing/addons"
    owner = site.owner(purchase.workspace_id)

    await harness.put(purchase, Status.PENDING)
    pending = await owner.open(here)
    await harness.put(purchase, Status.PAID, payable=False)
    live = await owner.open(f"{here}/{purchase.id}/live?was=pending", **{"HX-Request": "true"})

    row = pending.elements[f"purchase-{purchase.id}"]
    assert str(row["hx-get"]).startswith(f"{here}/{purchase.id}/live?was=pending&since=")
    assert row["hx-trigger"] == "every 2s"
    assert "hx-get" not in live.elements[f"purchase-{purchase.id}"]
    assert "You have bought Professional AI Setup" in live.text
    assert live.elements["service-setup"]["hx-swap-oob"] == "true"
    assert live.elements["news"]["hx-swap-oob"] == "innerHTML"


async def test_a_failed_one_is_followed_until_it_can_be_bought_again_and_told_once(
    harness: Harness, site: Site
) -> None:
    purchase = await harness.given_a_purchase()
    live = f"/app/{purchase.workspace_id}/billing/addons/{purchase.id}/live"
    owner = site.owner(purchase.workspace_id)

    await harness.put(purchase, Status.FAILED, payable=True)
    closing = await owner.open(live)
    await harness.put(purchase, Status.FAILED, payable=False)
    closed = await owner.open(live)

    assert str(closing.elements[f"purchase-{purchase.id}"]["hx-get"]).startswith(f"{live}?since=")
    assert "The last attempt is still being closed." in closing.text
    assert "hx-get" not in closed.elements[f"purchase-{purchase.id}"]
    assert closed.form("Buy now Professional AI Setup").fields["addon"] == "setup"
    assert "news" not in {*closing.elements, *closed.elements}


async def test_the_history_goes_on_below_twenty_purchases(harness: Harness, site: Site) -> None:
    purchase = await harness.given_a_purchase()
    await harness.execute(
        """
        insert into workspace_addon_purchases
        select (jsonb_populate_record(p, jsonb_build_object(
            'id', gen_random_uuid(), 'idempotency_key', n::text, 'status', 'failed', 'payable', false,
            'started_at', p.started_at - n * interval '1 minute'
        ))).*
        from workspace_addon_purchases p, generate_series(1, 24) n
        """
    )
    owner = site.owner(purchase.workspace_id)

    first = await owner.open(f"/app/{purchase.workspace_id}/billing/addons")
    second = await owner.open(first.links["Older purchases"])

    assert tuple(sum(name.startswith("purchase-") for name in page.elements) for page in (first, second)) == (20, 5)
    assert "Older purchases" not in second.links


@pytest.mark.parametrize("path", ["", "/bank", "/cancel", "/live"])
async def test_a_purchase_of_another_workspace_is_not_there(harness: Harness, site: Site, path: str) -> None:
    theirs = await harness.given_a_purchase()
    workspace = await harness.given_a_workspace()
    here = f"/app/{workspace}/billing/addons"

    page = await site.owner(workspace).open(f"{here}/{theirs.id}{path}" if path else f"{here}?about={theirs.id}")

    assert page.status == (404 if path else 200)
    assert "You have bought" not in page.text
    assert f"purchase-{theirs.id}" not in page.elements


async def test_what_is_no_purchase_in_the_address_is_no_news(harness: Harness, site: Site) -> None:
    workspace = await harness.given_a_workspace()

    page = await site.owner(workspace).open(
        f"/app/{workspace}/billing/addons?about=<b>&payment_intent=pi_';--&back=<script>"
    )

    assert page.status == 200
    assert "script" not in page.text
