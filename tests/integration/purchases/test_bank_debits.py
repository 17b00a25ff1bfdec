"""A bank is at work on a payment: nobody is hurried, nothing is given, nothing is cancelled, until Stripe says so."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from contracts.purchase_facts import PaymentParked
from purchases.buying.buy import Outcome
from purchases.jobs.kinds import ReconcilePurchase
from purchases.jobs.store import enqueue
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Status
from tests.integration.purchases.api import Api, an_api
from tests.integration.purchases.checkouts import BUNDLE, open_page, purchases_of, refusal_of, sessions_of, upgrade
from tests.integration.purchases.harness import DEBIT, PRICE, Harness, Json

STAFF: Final = {"sub": "mira", "platform_role": "super_admin"}
BUNDLE_CENTS: Final = 900 + 2 * PRICE


@pytest.fixture
async def api(harness: Harness) -> AsyncIterator[Api]:
    async with an_api(harness.database, harness.client) as api:
        yield api


async def _settle(harness: Harness, purchase: Purchase) -> Purchase:
    """Look at Stripe, with every webhook lost."""
    async with harness.database.transaction() as session:
        await enqueue(session, ReconcilePurchase(purchase_id=purchase.id))
    await harness.settle_everything()
    return await harness.purchase(purchase.id)


async def _started(harness: Harness, ago: timedelta) -> None:
    at = datetime.now(UTC) - ago
    await harness.execute("update workspace_addon_purchases set started_at = :at", at=at)


async def _hear(harness: Harness) -> None:
    """Deliver everything that Stripe has reported so far, and let it come to rest."""
    await harness.deliver(*await harness.facts())
    await harness.settle_everything()


async def _plan(harness: Harness) -> str:
    (row,) = await harness.rows("select plan from workspaces")
    return str(row["plan"])


async def test_the_answer_says_that_the_bank_is_at_work(harness: Harness, api: Api) -> None:
    workspace = await harness.given_a_workspace(DEBIT)
    await harness.given_an_addon()
    buyer = {"sub": "olga", "workspaces": {workspace: "owner"}}

    answer = await api.call(
        "POST",
        f"/v1/workspaces/{workspace}/purchases",
        token=buyer,
        json={"addon": "setup", "expected_price_cents": PRICE, "expected_currency": "EUR"},
        headers={"Idempotency-Key": "k"},
    )

    bought = answer.json()
    assert (answer.status_code, bought["status"]) == (201, "pending")
    assert (bought["waiting_for"], bought["action_url"]) == ("bank", None)


async def test_neither_the_buyer_nor_staff_can_cancel_it_meanwhile(harness: Harness, api: Api) -> None:
    purchase = await harness.given_a_purchase(DEBIT)
    buyer = {"sub": "olga", "workspaces": {purchase.workspace_id: "owner"}}

    refused = [
        await api.call("POST", f"/v1/workspaces/{purchase.workspace_id}/purchases/{purchase.id}/cancel", token=buyer),
        await api.call(
            "POST",
            f"/v1/admin/purchases/{purchase.id}/cancel",
            token=STAFF,
            json={"refund": False, "reason": "asked by phone"},
        ),
    ]

    slugs = [(one.status_code, one.json()["type"].rpartition("/")[2], one.json()["waiting_for"]) for one in refused]
    assert slugs == [(409, "payment-in-progress", "bank")] * 2
    assert (await harness.purchase(purchase.id)).status is Status.PENDING


async def test_a_debit_that_was_begun_elsewhere_is_seen_before_the_purchase_is_cancelled(
    harness: Harness, api: Api
) -> None:
    """The bank wanted the customer, who paid by debit on the invoice's own page; nobody informed us."""
    purchase = await harness.given_a_purchase("pm_card_authenticationRequired")
    await harness.give_card(str(purchase.stripe_customer_id), DEBIT)
    await harness.client.v1.payment_intents.confirm_async(
        str(purchase.stripe_payment_intent_id), {"payment_method": await _account_of(harness)}
    )

    refused = await api.call(
        "POST",
        f"/v1/workspaces/{purchase.workspace_id}/purchases/{purchase.id}/cancel",
        token={"sub": "olga", "workspaces": {purchase.workspace_id: "owner"}},
    )

    assert (refused.status_code, refused.json()["waiting_for"]) == (409, "bank")


async def _account_of(harness: Harness) -> str:
    methods = (await harness.control.objects(kind="payment_method"))["payment_method"]
    return str(next(one["id"] for one in methods if one["type"] == "sepa_debit"))


@pytest.mark.parametrize("ago", [timedelta(hours=1), timedelta(hours=24), timedelta(days=29)])
async def test_it_stays_pending_until_stripe_says(harness: Harness, ago: timedelta) -> None:
    purchase = await harness.given_a_purchase(DEBIT)
    await _started(harness, ago)

    row = await _settle(harness, purchase)

    assert (row.status, row.payable, row.waiting_for) == (Status.PENDING, True, "bank")
    assert await harness.published(kind=PaymentParked) == []


async def test_settling_finds_out_that_a_bank_is_at_work(harness: Harness) -> None:
    purchase = await harness.given_a_purchase(DEBIT)
    await harness.execute("update workspace_addon_purchases set waiting_for = null, action_url = 'https://bank'")

    row = await _settle(harness, purchase)

    assert (row.waiting_for, row.action_url) == ("bank", None)


@pytest.mark.parametrize("heard", [True, False])
@pytest.mark.parametrize(("succeeds", "end"), [(True, Status.PAID), (False, Status.FAILED)])
async def test_the_banks_word_ends_it(harness: Harness, succeeds: bool, end: Status, heard: bool) -> None:
    purchase = await harness.given_a_purchase(DEBIT)
    await _started(harness, timedelta(days=5))
    await harness.control.settle_debit(str(purchase.stripe_payment_intent_id), succeeded=succeeds)

    if heard:
        await _hear(harness)
    row = await _settle(harness, purchase)

    assert (row.status, row.payable, row.waiting_for) == (end, False, None)
    assert (await harness.control.sums())["total"].get("eur", {}).get("captured", 0) == (PRICE if succeeds else 0)
    assert [one["status"] for one in (await harness.control.objects(kind="invoice"))["invoice"]] == [
        "paid" if succeeds else "void"
    ]


async def test_after_thirty_days_the_team_is_mailed_once_and_the_slot_is_kept(harness: Harness) -> None:
    purchase = await harness.given_a_purchase(DEBIT)
    await _started(harness, timedelta(days=30, seconds=1))

    for _ in range(2):
        row = await _settle(harness, purchase)

    (published,) = await harness.published(kind=PaymentParked)
    assert (published["amount_paid_cents"], published["stripe_invoice_id"]) == (0, purchase.stripe_invoice_id)
    assert "30 days" in published["reason"]
    assert (row.status, row.payable) == (Status.PENDING, True)
    await harness.control.settle_debit(str(purchase.stripe_payment_intent_id))
    assert (await _settle(harness, purchase)).status is Status.PAID


@pytest.mark.parametrize(("succeeds", "resolution"), [(True, "applied"), (False, "closed")])
async def test_what_was_parked_of_it_is_resolved_by_the_banks_word(
    harness: Harness, api: Api, succeeds: bool, resolution: str
) -> None:
    """After a failure nothing waits for anybody: it stood in the list of what staff have to do for ever."""
    purchase = await harness.given_a_purchase(DEBIT)
    await _started(harness, timedelta(days=30, seconds=1))
    await _settle(harness, purchase)
    assert await _parked_items(api, "open") == [None]

    await harness.control.settle_debit(str(purchase.stripe_payment_intent_id), succeeded=succeeds)
    await _settle(harness, purchase)

    assert await _parked_items(api, "open") == []
    assert await _parked_items(api, "resolved") == [resolution]


async def _parked_items(api: Api, state: str) -> list[str | None]:
    answer = await api.call("GET", f"/v1/admin/parked?state={state}", token=STAFF)
    return [one["resolution"] for one in answer.json()["items"]]


async def test_the_slot_is_kept_meanwhile(harness: Harness) -> None:
    purchase = await harness.given_a_purchase(DEBIT)

    repeated = await harness.buy(harness.order(purchase.workspace_id, key=purchase.idempotency_key))

    assert (repeated.outcome, repeated.purchase.id) == (Outcome.REPEATED, purchase.id)


@pytest.mark.usefixtures("builder")
class TestACheckoutThatIsCompleteAndUnpaid:
    """Nothing is given for it, until the bank has paid."""

    @pytest.mark.parametrize("seen_by", ["events", "a look"])
    async def test_it_gives_nothing(self, harness: Harness, seen_by: str) -> None:
        await self._completed(harness)

        await (_hear(harness) if seen_by == "events" else harness.settle_everything())
        await harness.settle_everything()

        rows = await purchases_of(harness)
        assert [(one.status, one.payable, one.waiting_for) for one in rows] == [(Status.PENDING, True, "bank")] * 2
        assert await _plan(harness) == "free"

    @pytest.mark.parametrize("order", ["as reported", "the last first"])
    @pytest.mark.parametrize(
        ("succeeds", "end", "plan"), [(True, Status.PAID, "builder"), (False, Status.FAILED, "free")]
    )
    async def test_the_banks_word_ends_it(
        self, harness: Harness, succeeds: bool, end: Status, plan: str, order: str
    ) -> None:
        session = await self._completed(harness)
        await harness.control.settle_debit(session["intent"], succeeded=succeeds)
        facts = await harness.facts()

        await harness.deliver(*(facts if order == "as reported" else reversed(facts)))
        await harness.settle_everything()

        rows = await purchases_of(harness)
        assert [(one.status, one.payable, one.waiting_for) for one in rows] == [(end, False, None)] * 2
        assert await _plan(harness) == plan
        captured = (await harness.control.sums())["total"].get("eur", {}).get("captured", 0)
        assert captured == (BUNDLE_CENTS if succeeds else 0)

    async def test_what_the_banks_word_alone_says_is_enough(self, harness: Harness) -> None:
        """Of all events only the session's two are heard: the rest is found out."""
        session = await self._completed(harness)
        await harness.control.settle_debit(session["intent"])
        facts = await harness.facts()

        await harness.deliver(*(one for one in facts if one.stripe_event_type.startswith("checkout.session.")))
        await harness.settle_everything()

        assert [one.status for one in await purchases_of(harness)] == [Status.PAID] * 2
        assert await _plan(harness) == "builder"

    async def test_neither_a_row_of_it_is_cancelled_nor_another_upgrade_begun(self, harness: Harness, api: Api) -> None:
        await self._completed(harness)
        await _hear(harness)
        (row, _) = await purchases_of(harness)
        owner = {"sub": "olga", "workspaces": {row.workspace_id: "owner"}}

        cancelled = await api.call("POST", f"/v1/workspaces/{row.workspace_id}/purchases/{row.id}/cancel", token=owner)

        assert (cancelled.status_code, cancelled.json()["waiting_for"]) == (409, "bank")
        assert (await refusal_of(harness, upgrade(row.workspace_id))).slug == "payment-in-progress"

    async def _completed(self, harness: Harness) -> Json:
        opened = await open_page(harness, upgrade(await harness.given_a_workspace(None), *BUNDLE))
        await harness.control.complete_session(opened.session_id, card="sepaDebit")
        (session,) = await sessions_of(harness)
        assert (session["status"], session["payment_status"]) == ("complete", "unpaid")
        intents = (await harness.control.objects(kind="payment_intent"))["payment_intent"]
        return {**session, "intent": intents[-1]["id"]}
