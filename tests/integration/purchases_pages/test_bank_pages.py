"""The bank is asked: one goes there, comes back, or does not, and the page says the truth meanwhile."""

from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from tests.integration.purchases.harness import DEBIT, PRICE, Harness
from tests.integration.purchases_pages.conftest import Site
from tests.integration.purchases_pages.shops import ASKS_THE_BANK, a_shop, at_the_bank

WAITS_FOR_STRIPE = (
    "Your bank has answered about Professional AI Setup We wait for Stripe's confirmation; there is nothing to"
)
SAID_NO = "Your bank did not confirm the payment for Professional AI Setup Nothing was charged."


@pytest.mark.parametrize(
    ("answer", "said", "status", "settled"),
    [
        ("authorise", WAITS_FOR_STRIPE, "paid", "You have bought"),
        ("fail", SAID_NO, "failed", "The card was declined"),
    ],
)
async def test_the_bank_asks_and_brings_the_buyer_back(
    harness: Harness, site: Site, stripe_url: str, answer: str, said: str, status: str, settled: str
) -> None:
    shop = await a_shop(harness, site, ASKS_THE_BANK)

    leaving = await shop.buy()
    waiting = await shop.page()
    back = await at_the_bank(stripe_url, leaving.links["Continue"], answer)
    page = await shop.owner.open(back)
    early = await shop.live(page)
    unsettled = await shop.purchases()
    await shop.hear()
    live = await shop.live(early)

    assert leaving.headers["refresh"] == f"0; url={leaving.links['Continue']}"
    assert "Confirm with your bank" in waiting.links
    assert said in page.text
    assert [("Confirm with your bank" in one.links) for one in (page, early)] == [answer == "fail"] * 2
    assert (unsettled, await shop.purchases()) == (["pending"], [status])
    assert settled in live.text
    assert await shop.captured() == (PRICE if status == "paid" else 0)


async def test_nothing_of_what_the_bank_brought_along_stays_in_the_address(
    harness: Harness, site: Site, stripe_url: str
) -> None:
    shop = await a_shop(harness, site, ASKS_THE_BANK)
    back = await at_the_bank(stripe_url, (await shop.buy()).links["Continue"], "authorise")
    (row,) = await harness.rows("select id from workspace_addon_purchases")

    kept = (await shop.owner.http.get(back)).headers["location"]
    answer = await shop.owner.http.get(kept)
    invented = await shop.owner.http.get(f"{shop.here}?payment_intent=pi_of_nobody")
    nonsense = await shop.owner.http.get(f"{shop.here}?payment_intent=%27&redirect_status=<b>")

    assert "payment_intent_client_secret=" in back
    assert answer.status_code == 303
    assert answer.headers["location"] == f"{shop.here}?about={row['id']}&returned=succeeded"
    assert [(one.status_code, one.headers["location"]) for one in (invented, nonsense)] == [(303, shop.here)] * 2


async def test_whose_session_ended_at_the_bank_signs_in_without_the_secret_and_comes_to_the_news(
    harness: Harness, site: Site, stripe_url: str
) -> None:
    shop = await a_shop(harness, site, ASKS_THE_BANK)
    back = await at_the_bank(stripe_url, (await shop.buy()).links["Continue"], "authorise")
    secret = parse_qs(urlsplit(back).query)["payment_intent_client_secret"][0]
    nobody = site.visitor(None)

    kept = (await nobody.http.get(back)).headers["location"]
    sign_in = (await nobody.http.get(kept)).headers["location"]
    page = await shop.owner.open(parse_qs(urlsplit(sign_in).query)["next"][0])

    assert (urlsplit(kept).path, urlsplit(sign_in).path) == (shop.here, "/session/sign-in")
    for address in (kept, unquote(sign_in)):
        assert "payment_intent=pi_" in address
        assert "secret" not in address
        assert secret not in address
    assert WAITS_FOR_STRIPE in page.text


async def test_what_an_address_says_of_the_bank_is_no_proof(harness: Harness, site: Site) -> None:
    shop = await a_shop(harness, site, ASKS_THE_BANK)
    await shop.buy()
    (row,) = await harness.rows("select id from workspace_addon_purchases")

    claimed = await shop.owner.open(f"{shop.here}?about={row['id']}&returned=succeeded")
    nonsense = await shop.owner.open(f"{shop.here}?about={row['id']}&returned=<b>")
    await shop.hear()

    assert WAITS_FOR_STRIPE in claimed.text
    assert "Your bank wants you to confirm the payment" in nonsense.text
    assert (await shop.purchases(), await shop.captured()) == (["pending"], 0)


async def test_who_is_not_brought_back_finds_the_page_that_says_how_it_stands(harness: Harness, site: Site) -> None:
    shop = await a_shop(harness, site, ASKS_THE_BANK)

    leaving = await shop.buy()
    page = await shop.owner.open(leaving.links["See how it stands"])

    assert "If it does not bring you back, open the Services page" in leaving.text
    assert "refresh" not in page.headers
    assert "Your bank wants you to confirm the payment for Professional AI Setup" in page.text


async def test_who_comes_to_the_banks_page_when_it_is_over_sees_how_it_stands(harness: Harness, site: Site) -> None:
    shop = await a_shop(harness, site)
    await shop.buy()
    (row,) = await harness.rows("select id from workspace_addon_purchases")

    page = await shop.owner.open(f"{shop.here}/{row['id']}/bank")

    assert "You have bought" in page.text


async def test_a_debit_has_words_of_its_own_and_no_way_to_cancel_it(harness: Harness, site: Site) -> None:
    shop = await a_shop(harness, site, DEBIT)

    answer = await shop.buy()
    page = await shop.page()
    (row,) = await harness.rows("select id from workspace_addon_purchases")
    asked = await shop.owner.open(f"{shop.here}/{row['id']}/cancel")

    assert "Your bank is at work on the payment for Professional AI Setup A debit takes some days." in answer.text
    assert "Your bank is at work on its payment, which takes some days." in page.text
    assert "it cannot be cancelled meanwhile" in page.text
    assert not any("Cancel" in link or "Confirm" in link for link in page.links)
    assert "hx-get" not in page.elements[f"purchase-{row['id']}"]
    assert "Your bank is at work on the payment" in asked.text
    assert await shop.purchases() == ["pending"]


async def test_who_cancels_on_an_old_page_reads_that_the_bank_is_at_work(harness: Harness, site: Site) -> None:
    """The page was opened while the bank wanted the customer, who has paid by debit since."""
    shop = await a_shop(harness, site, ASKS_THE_BANK)
    await shop.buy()
    (row,) = await harness.rows(
        "select id, stripe_customer_id, stripe_payment_intent_id from workspace_addon_purchases"
    )
    question = await shop.owner.open(f"{shop.here}/{row['id']}/cancel")
    await harness.give_card(row["stripe_customer_id"], DEBIT)
    methods = (await harness.control.objects(kind="payment_method"))["payment_method"]
    account = next(one["id"] for one in methods if one["type"] == "sepa_debit")
    await harness.client.v1.payment_intents.confirm_async(row["stripe_payment_intent_id"], {"payment_method": account})

    refused = await shop.owner.submit(question.form("Cancel it"))

    assert "Your bank is at work on the payment Nothing was changed" in refused.text
    assert await shop.purchases() == ["pending"]
