"""Staff find a purchase on pages, and see all of it: who may, what is found, what is shown."""

from typing import Any

import httpx
import pytest

from purchases.ledger.transitions import Status
from tests.forms import form_to, text_of
from tests.integration.purchases.harness import Harness
from tests.integration.purchases_pages.conftest import Site
from tests.integration.purchases_pages.staff import (
    MARKUP,
    MIRA,
    PARKED,
    PURCHASES,
    browser,
    nobodys,
    of,
    refunded,
    send,
)

Json = dict[str, Any]
REFUSALS = "/admin/stripe-refusals"
PAGES = [
    ("GET", PURCHASES),
    ("GET", nobodys()),
    *((method, nobodys(move)) for move in ("deliver", "cancel", "reopen", "refund") for method in ("GET", "POST")),
    ("GET", f"{PURCHASES}/no-id"),
    ("GET", PARKED),
    ("GET", f"{PARKED}/fact-1"),
    ("GET", f"{PARKED}/fact-1/retry"),
    ("POST", f"{PARKED}/fact-1/retry"),
    ("GET", f"{PARKED}/fact-1/discard"),
    ("POST", f"{PARKED}/fact-1/discard"),
    ("GET", f"{PARKED}/fact-1/allocate"),
    ("POST", f"{PARKED}/fact-1/allocate"),
    ("GET", REFUSALS),
]
each_page = pytest.mark.parametrize(("method", "path"), PAGES, ids=[f"{m} {p[:16]}…{p[-9:]}" for m, p in PAGES])


@each_page
@pytest.mark.parametrize(
    "claims",
    [
        {"sub": "olga", "workspaces": {"ws-1": "owner"}},
        MIRA | {"platform_role": "support"},
        {"sub": "svc", "scope": "workspaces:write"},
    ],
    ids=["owner", "support", "service"],
)
async def test_everyone_but_a_super_admin_gets_the_page_that_says_no(
    site: Site, claims: Json, method: str, path: str
) -> None:
    async with browser(site, claims) as somebody:
        page = await somebody.request(method, path, data={"reason": "x"} if method == "POST" else None)

    assert page.status_code == 403
    assert "This page is not for your role" in text_of(page)


@each_page
async def test_who_is_not_signed_in_signs_in_and_what_was_typed_is_kept(site: Site, method: str, path: str) -> None:
    async with browser(site, {}) as nobody:
        page = await nobody.request(method, path, data={"reason": "typed"} if method == "POST" else None)

    if method == "GET":
        assert (page.status_code, page.headers["location"][:22]) == (303, "/session/sign-in?next=")
    else:
        assert (page.status_code, form_to(page, path).filled()) == (401, {"reason": ["typed"]})


@pytest.mark.parametrize(("method", "path"), [page for page in PAGES if page[1] not in {PURCHASES, PARKED, REFUSALS}])
async def test_what_there_is_not_is_a_page_that_says_so(site: Site, method: str, path: str) -> None:
    async with browser(site) as staff:
        page = await staff.request(method, path, data={"reason": "x"} if method == "POST" else None)

    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")


async def test_a_purchase_is_found_by_workspace_status_stripes_ids_and_date(harness: Harness, site: Site) -> None:
    purchase, other = await harness.given_a_purchase(), await harness.given_a_purchase("pm_card_authenticationRequired")
    day, later = purchase.started_at.date().isoformat(), "2999-01-01"
    searches: list[Json] = [
        {"workspace": purchase.workspace_id},
        {"status": "paid"},
        {"stripe_id": purchase.stripe_invoice_id},
        {"stripe_id": f" {purchase.stripe_customer_id} ", "status": "", "from": day, "to": later},
    ]
    async with browser(site) as staff:
        found = [await staff.get(PURCHASES, params=search) for search in searches]
        none = await staff.get(PURCHASES, params={"from": later})
        everything = await staff.get(PURCHASES)

    for page in found:
        assert (of(purchase) in page.text, of(other) in page.text) == (True, False)
    assert (of(purchase) in everything.text, of(other) in everything.text) == (True, True)
    assert "€499.00 Paid" in text_of(found[0])
    assert "No purchase fits" in text_of(none)


async def test_the_search_says_whose_days_its_dates_are(site: Site) -> None:
    async with browser(site) as staff:
        page = await staff.get(PURCHASES)

    assert "Started from (UTC) Started before (UTC)" in text_of(page)


@pytest.mark.parametrize(
    ("search", "field", "said"),
    [
        ({"stripe_id": "<b>"}, "stripe_id", "It is not written like this"),
        ({"from": "yesterday"}, "from", "must be a date"),
        ({"from": "2026-03-04", "to": "2026-03-04"}, "to", "This period ends before it begins"),
        ({"workspace": "-"}, "workspace", "It is not written like this"),
        ({"status": "bought"}, "status", "one of those that are offered"),
    ],
)
async def test_what_is_wrong_with_a_search_is_said_at_its_field(
    site: Site, search: dict[str, str], field: str, said: str
) -> None:
    async with browser(site) as staff:
        page = await staff.get(PURCHASES, params=search)

    assert page.status_code == 422
    assert said in page.text.partition(f'id="{field}-error"')[2].partition("</p>")[0]


async def test_what_is_wrong_with_the_searchs_address_is_said_though_it_has_no_field(site: Site) -> None:
    async with browser(site) as staff:
        page = await staff.get(PURCHASES, params={"utm": "1", "limit": "many"})

    assert page.status_code == 422
    assert "utm: Nothing is known of this." in text_of(page)
    assert "limit: A whole number, please." in text_of(page)


async def test_a_long_list_goes_on_behind_its_last_entry(harness: Harness, site: Site) -> None:
    purchase = await harness.given_a_purchase()
    await harness.execute(
        "insert into workspace_addon_purchases select (jsonb_populate_record(row, jsonb_build_object('id',"
        " gen_random_uuid(), 'plan_addon_id', gen_random_uuid(), 'idempotency_key', 'k' || n, 'started_at',"
        " row.started_at - n * interval '1 hour'))).* from workspace_addon_purchases row, generate_series(1, 50) n"
        " where id = :id",
        id=purchase.id,
    )
    async with browser(site) as staff:
        first = await staff.get(PURCHASES, params={"status": "paid"})
        older = first.text.partition(f'href="{PURCHASES}?status=paid&amp;cursor=')[2].partition('"')[0]
        second = await staff.get(f"{PURCHASES}?status=paid&cursor={older}")

    assert (first.text.count(f'href="{PURCHASES}/'), second.text.count(f'href="{PURCHASES}/')) == (50, 1)
    assert ("Older" in text_of(first), "Older" in text_of(second)) == (True, False)


async def test_one_purchase_shows_its_history_its_money_and_stripes_ids(harness: Harness, site: Site) -> None:
    purchase = await harness.given_a_purchase()
    async with browser(site, None, **{"Accept-Language": "de"}) as staff:
        await refunded(staff, purchase, how_much="part", amount="100.00", reason="half done")
        await harness.settle_everything()
        page = await staff.get(of(purchase))

    text = text_of(page).replace("\N{NO-BREAK SPACE}", " ")
    assert "Paid 499,00 € Refunded 100,00 € Can be refunded 399,00 €" in text
    assert "Bought user:olga" in text
    assert "staff:mira · half done" in text
    assert all(str(one) in text for one in (purchase.stripe_invoice_id, purchase.stripe_charge_id, purchase.id))


async def test_only_our_own_pages_move_anything(harness: Harness, site: Site) -> None:
    purchase = await harness.given_a_purchase()
    async with browser(site, None, Origin="https://evil.example") as staff:
        page = await staff.post(of(purchase, "deliver"), data={"reason": "x"})

    assert (page.status_code, (await harness.purchase(purchase.id)).status) == (403, Status.PAID)


async def test_markup_comes_out_as_text(harness: Harness, site: Site) -> None:
    purchase = await harness.given_a_purchase()
    async with browser(site) as staff:
        pages: list[httpx.Response] = [await staff.get(PURCHASES, params={"workspace": MARKUP})]
        form = await staff.get(of(purchase, "refund"))
        pages.append(await send(staff, form, step="review", how_much="part", amount=MARKUP, reason=MARKUP))
        pages.append(await send(staff, form, step="review", how_much="all", reason=MARKUP))
        await send(staff, await staff.get(of(purchase, "deliver")), reason=MARKUP)
        pages.append(await staff.get(of(purchase)))

    assert not any("<script>alert" in page.text for page in pages)
    assert all("&lt;script&gt;alert(1)&lt;/script&gt;" in page.text for page in pages)
