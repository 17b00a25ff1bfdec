"""Cancelling on the page: what it means is said first, and it is done once."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from purchases.ledger.transitions import Status
from tests.integration.purchases.harness import Harness
from tests.integration.purchases_pages.conftest import Site
from tests.integration.purchases_pages.owners import Owner, an_owner
from tests.integration.purchases_pages.reading import Page

CANCEL = "Cancel Professional AI Setup"


async def test_a_paid_purchase_is_cancelled_after_saying_what_that_means(harness: Harness, site: Site) -> None:
    purchase = await harness.given_a_purchase()
    owner = site.owner(purchase.workspace_id)

    page = await owner.open(f"/app/{purchase.workspace_id}/billing/addons")
    asked = await owner.open(page.links[CANCEL])
    done = await owner.submit(asked.form("Cancel it"), reason="We found somebody in-house")
    again = await owner.submit(asked.form("Cancel it"))

    assert "€499.00 was paid for it. Cancelling stops the work, and returns nothing by itself" in asked.text
    assert "Professional AI Setup is cancelled €499.00 was paid. Cancelling returns nothing by itself" in done.text
    assert (done.status, again.text) == (200, done.text)
    assert (await harness.purchase(purchase.id)).status is Status.CANCELLED
    (line,) = await harness.rows("select actor, reason from purchase_transitions where to_status = 'cancelled'")
    assert line == {"actor": "user:olga", "reason": "We found somebody in-house"}


async def test_a_pending_one_is_cancelled_and_never_charged(harness: Harness, site: Site) -> None:
    purchase = await harness.given_a_purchase("pm_card_authenticationRequired")
    owner = site.owner(purchase.workspace_id)

    asked = await owner.open(f"/app/{purchase.workspace_id}/billing/addons/{purchase.id}/cancel")
    done = await owner.submit(asked.form("Cancel it"))

    assert "It is not paid yet." in asked.text
    assert "Nothing is charged for it; what your bank may have taken already goes back by itself." in done.text


async def test_what_was_paid_since_the_question_is_asked_about_anew(harness: Harness, site: Site) -> None:
    """The question had said that nothing is charged; of what is paid, nothing goes back by itself."""
    purchase = await harness.given_a_purchase("pm_card_authenticationRequired")
    owner = site.owner(purchase.workspace_id)
    asked = await owner.open(f"/app/{purchase.workspace_id}/billing/addons/{purchase.id}/cancel")
    await harness.control.authenticate(str(purchase.stripe_payment_intent_id))
    await harness.deliver(*await harness.facts())

    refused = await owner.submit(asked.form("Cancel it"), reason="Too slow")
    before = await harness.purchase(purchase.id)
    done = await owner.submit(refused.form("Cancel it"))

    assert "It is not paid yet. Once it is cancelled, nothing is charged for it." in asked.text
    assert (refused.status, before.status) == (409, Status.PAID)
    assert "The purchase has changed since you opened this page Nothing was cancelled." in refused.text
    assert "€499.00 was paid for it. Cancelling stops the work, and returns nothing by itself" in refused.text
    assert refused.form("Cancel it").fields == {"status": "paid", "reason": "Too slow"}
    assert "Professional AI Setup is cancelled €499.00 was paid." in done.text


async def test_what_was_paid_in_its_checkout_since_the_question_is_not_cancelled_either(
    harness: Harness, site: Site
) -> None:
    """As where Stripe says first that the Checkout was paid: `test_once_its_checkout_is_paid_nothing_says…`."""
    owner, address = await in_a_checkout(harness, site)
    asked = await owner.browser.open(address)
    await owner.pay()
    await owner.hear()

    refused = await owner.browser.submit(asked.form("Cancel it"))

    assert (refused.status, "The purchase has changed since you opened this page" in refused.text) == (409, True)
    assert [row["status"] for row in await harness.rows("select status from workspace_addon_purchases")] == ["paid"]


@pytest.mark.parametrize("status", [Status.DELIVERED, Status.FAILED, Status.REFUNDED, Status.CANCELLED])
async def test_what_cannot_be_cancelled_offers_no_way_to(harness: Harness, site: Site, status: Status) -> None:
    purchase = await harness.given_a_purchase()
    owner = site.owner(purchase.workspace_id)
    asked = await owner.open(f"/app/{purchase.workspace_id}/billing/addons/{purchase.id}/cancel")
    await harness.put(purchase, status, payable=False)

    page = await owner.open(f"/app/{purchase.workspace_id}/billing/addons/{purchase.id}/cancel")
    late = await owner.submit(asked.form("Cancel it"))

    assert [link for link in page.links if link.startswith("Cancel")] == []
    assert late.status == (200 if status is Status.CANCELLED else 409)
    assert (await harness.purchase(purchase.id)).status is status


async def in_a_checkout(harness: Harness, site: Site) -> tuple[Owner, str]:
    """Its owner, and the page that asks about cancelling it."""
    owner = await an_owner(harness, site)
    await owner.upgrade("setup")
    (row,) = await harness.rows("select id from workspace_addon_purchases")
    return owner, f"/app/{owner.workspace}/billing/addons/{row['id']}/cancel"


async def test_while_stripe_does_not_answer_the_question_is_asked_again_with_what_was_typed(
    harness: Harness, site: Site
) -> None:
    owner, address = await in_a_checkout(harness, site)
    asked = await owner.browser.open(address)
    await harness.control.fault("close_before", operation="checkout.sessions.*", times=None)

    refused = await owner.browser.submit(asked.form("Cancel it"), reason="We found <b>somebody</b>")
    await harness.control.reset_faults()
    done = await owner.browser.submit(refused.form("Cancel it"))

    assert "Cancelling ends that checkout with everything in it" in asked.text
    assert (refused.status, refused.headers["retry-after"]) == (409, "3")
    assert "Its checkout is being opened or ended just now Nothing was cancelled. Try again in a few" in refused.text
    assert refused.form("Cancel it").fields == {"status": "pending", "reason": "We found <b>somebody</b>"}
    assert "Professional AI Setup is cancelled" in done.text


async def test_while_it_is_being_paid_the_question_is_asked_again_with_what_was_typed(
    harness: Harness, site: Site
) -> None:
    purchase = await harness.given_a_purchase("pm_card_authenticationRequired")
    owner = site.owner(purchase.workspace_id)
    asked = await owner.open(f"/app/{purchase.workspace_id}/billing/addons/{purchase.id}/cancel")
    lease = "update workspace_addon_purchases set leased_until = :until"
    await harness.execute(lease, until=datetime.now(UTC) + timedelta(minutes=1))

    refused = await owner.submit(asked.form("Cancel it"), reason="Too slow")
    await harness.execute(lease, until=datetime.now(UTC))
    done = await owner.submit(refused.form("Cancel it"))

    assert (refused.status, refused.headers["retry-after"]) == (409, "2")
    assert "The payment is being made just now Nothing was cancelled." in refused.text
    assert refused.form("Cancel it").fields == {"status": "pending", "reason": "Too slow"}
    assert "Professional AI Setup is cancelled" in done.text


async def test_once_its_checkout_is_paid_nothing_says_that_it_is_open(harness: Harness, site: Site) -> None:
    owner, address = await in_a_checkout(harness, site)
    asked = await owner.browser.open(address)
    await owner.pay()

    refused = await owner.browser.submit(asked.form("Cancel it"))
    again = await owner.browser.open(address)

    assert (refused.status, "It was paid meanwhile, and is not cancelled" in refused.text) == (409, True)
    assert "still open" not in again.text
    assert "If your bank has taken the money already, it goes back by itself." in again.text


@pytest.mark.parametrize(
    ("typed", "said"), [("x" * 501, "At most 500 characters, please."), ("a\nb", "must be one line of printable text")]
)
async def test_what_is_wrong_with_the_reason_is_said_at_its_field(
    harness: Harness, site: Site, typed: str, said: str
) -> None:
    purchase = await harness.given_a_purchase()
    owner = site.owner(purchase.workspace_id)
    asked = await owner.open(f"/app/{purchase.workspace_id}/billing/addons/{purchase.id}/cancel")

    answer = await owner.submit(asked.form("Cancel it"), reason=typed)

    assert (answer.status, answer.elements["reason"]["aria-invalid"]) == (422, "true")
    assert said in answer.text
    assert re.sub(r"\s", "", answer.form("Cancel it").fields["reason"]) == re.sub(r"\s", "", typed)
    assert (await harness.purchase(purchase.id)).status is Status.PAID


async def test_blanks_are_no_reason(harness: Harness, site: Site) -> None:
    purchase = await harness.given_a_purchase()
    owner = site.owner(purchase.workspace_id)
    asked = await owner.open(f"/app/{purchase.workspace_id}/billing/addons/{purchase.id}/cancel")

    done = await owner.submit(asked.form("Cancel it"), reason="  ")

    assert "Professional AI Setup is cancelled" in done.text


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "zz/cancel"), ("POST", "zz/cancel"), ("GET", "zz/bank"), ("GET", "1/live")]
)
async def test_an_address_with_no_id_in_it_is_nobodys_purchase(
    harness: Harness, site: Site, method: str, path: str
) -> None:
    workspace = await harness.given_a_workspace()

    page = Page(await site.owner(workspace).http.request(method, f"/app/{workspace}/billing/addons/{path}"))

    assert (page.status, "There is no such purchase" in page.text) == (404, True)
    assert "form" not in page.text
