"""A subscription whose first payment nobody finished does not keep a workspace from its plan."""

from typing import Any, Final

import pytest

from contracts.workspace_facts import ExtraSubscriptionEnded
from purchases.jobs.kinds import EndUnfinished
from purchases.jobs.store import enqueue
from purchases.stripe_api.subscriptions import end_first_payment
from purchases.subscriptions import end_unfinished
from tests.integration.purchases.checkouts import complete, open_page, refusal_of, upgrade
from tests.integration.purchases.harness import DEBIT, INSTANCE, Harness, Json

pytestmark: Final = pytest.mark.usefixtures("builder")
DECLINED: Final = "pm_card_chargeCustomerFail"


async def _given_one(harness: Harness, card: str) -> tuple[str, Json]:
    """The workspace, and its subscription, whose first payment went as the card says; all of it is heard."""
    workspace = await harness.given_a_workspace(card)
    (row,) = await harness.rows("select stripe_customer_id from workspaces")
    (plan,) = await harness.rows("select prices from plans")
    asked: Any = {
        "customer": row["stripe_customer_id"],
        "items": [{"price": plan["prices"][0]["stripe_price_id"]}],
        "metadata": {"quittance_instance": INSTANCE, "workspace_id": workspace},
    }
    made = await harness.client.v1.subscriptions.create_async(asked)
    assert made.status == "incomplete"
    await harness.deliver(*await harness.facts())
    await harness.settle_everything()
    return workspace, made.to_dict()


async def _at_stripe(harness: Harness) -> list[tuple[str, str]]:
    """Each subscription's status with that of its first invoice, oldest first."""
    found = await harness.control.objects()
    invoices = {one["id"]: one["status"] for one in found["invoice"]}
    return [(one["status"], invoices[one["latest_invoice"]]) for one in found["subscription"]]


async def _intent(harness: Harness) -> str:
    return str((await harness.control.objects(kind="payment_intent"))["payment_intent"][0]["id"])


async def _pay_late(harness: Harness, workspace: str) -> None:
    """The debit comes through, or another card pays, and Stripe reports it."""
    seen = len(await harness.control.events())
    await harness.control.settle_debit(await _intent(harness))
    await harness.deliver(*await harness.facts(since=seen))
    await harness.settle_everything()


async def test_it_is_ended_first_and_its_invoice_closed(harness: Harness) -> None:
    workspace, _ = await _given_one(harness, DECLINED)

    opened = await open_page(harness, upgrade(workspace))
    await complete(harness, opened.session_id)

    assert await _at_stripe(harness) == [("canceled", "void"), ("active", "paid")]
    assert [row["plan"] for row in await harness.rows("select plan from workspaces")] == ["builder"]
    assert (await harness.control.sums())["total"]["eur"] == {
        "captured": 900,
        "payments": 1,
        "refunded": 0,
        "refunds": 0,
    }
    assert "extra_subscription_ended" not in [kind for kind, _ in await harness.workspace_facts(workspace)]


async def test_one_that_a_bank_is_at_work_on_is_left(harness: Harness) -> None:
    workspace, _ = await _given_one(harness, DEBIT)

    refused = await refusal_of(harness, upgrade(workspace))

    assert (refused.status, refused.slug, refused.extra["waiting_for"]) == (409, "payment-in-progress", "bank")
    assert await _at_stripe(harness) == [("incomplete", "open")]
    await _pay_late(harness, workspace)
    assert [row["plan"] for row in await harness.rows("select plan from workspaces")] == ["builder"]


async def _given_one_in_an_open_checkout(harness: Harness) -> tuple[str, str]:
    """The workspace, and the session, as before 2025-03-31.basil: its subscription is there while its page is open."""
    workspace = await harness.given_a_workspace(None)
    (row,) = await harness.rows("select stripe_customer_id from workspaces")
    (plan,) = await harness.rows("select prices from plans")
    metadata = {"quittance_instance": INSTANCE, "workspace_id": workspace}
    asked: Any = {
        "mode": "subscription",
        "customer": row["stripe_customer_id"],
        "line_items": [{"price": plan["prices"][0]["stripe_price_id"], "quantity": 1}],
        "success_url": "https://app.example/yes",
        "cancel_url": "https://app.example/no",
        "subscription_data": {"metadata": metadata},
    }
    session = (await harness.client.v1.checkout.sessions.create_async(asked)).id
    await harness.control.subscribe_early(session)
    await harness.deliver(*await harness.facts())
    await harness.settle_everything()
    assert [one["status"] for one in await harness.rows("select status from subscriptions")] == ["incomplete"]
    return workspace, session


async def test_one_whose_checkout_is_open_is_left(harness: Harness) -> None:
    """Somebody may be typing the number of a card."""
    workspace, _ = await _given_one_in_an_open_checkout(harness)

    refused = await refusal_of(harness, upgrade(workspace))

    assert (refused.status, refused.slug, "waiting_for" in refused.extra) == (409, "payment-in-progress", False)
    assert refused.headers == {"Retry-After": "2"}
    assert await _at_stripe(harness) == [("incomplete", "open")]
    assert [row["is_extra"] for row in await harness.rows("select is_extra from subscriptions")] == [False]


async def test_one_whose_checkout_has_expired_is_ended(harness: Harness) -> None:
    workspace, session = await _given_one_in_an_open_checkout(harness)
    await harness.control.expire_session(session)

    assert (await open_page(harness, upgrade(workspace))).url

    assert await _at_stripe(harness) == [("canceled", "void")]


async def test_one_that_was_paid_unheard_is_left_and_is_the_workspaces(harness: Harness) -> None:
    workspace, _ = await _given_one(harness, DEBIT)
    await harness.control.settle_debit(await _intent(harness))

    refused = await refusal_of(harness, upgrade(workspace))

    assert refused.slug == "already-subscribed"
    assert [row["plan"] for row in await harness.rows("select plan from workspaces")] == ["builder"]


async def test_one_that_stripe_does_not_know_is_in_nobodys_way(harness: Harness) -> None:
    workspace = await harness.given_a_workspace(None)
    await harness.execute(
        "insert into subscriptions (stripe_subscription_id, workspace_id, status) values ('sub_1', :ws, 'incomplete')",
        ws=workspace,
    )

    assert (await open_page(harness, upgrade(workspace))).url


async def test_money_that_arrives_between_the_look_and_the_end_goes_back(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The customer pays with another card on the invoice's own page, a moment after we looked."""
    workspace, made = await _given_one(harness, DECLINED)

    async def pay_first(client: Any, payment: Any) -> None:
        card = await client.v1.payment_methods.attach_async("pm_card_visa", {"customer": made["customer"]})
        await client.v1.invoices.pay_async(made["latest_invoice"], {"payment_method": card.id})
        await end_first_payment(client, payment)

    monkeypatch.setattr(end_unfinished, "end_first_payment", pay_first)
    opened = await open_page(harness, upgrade(workspace))
    await complete(harness, opened.session_id)

    assert await _at_stripe(harness) == [("canceled", "paid"), ("active", "paid")]
    total = (await harness.control.sums())["total"]["eur"]
    assert (total["captured"], total["refunded"]) == (1800, 900)
    (ended,) = [body for kind, body in await harness.workspace_facts(workspace) if kind == "extra_subscription_ended"]
    assert (ended["stripe_subscription_id"], ended["returned_cents"]) == (made["id"], 900)
    assert ExtraSubscriptionEnded.model_validate(
        ended
    ).reason == "it was paid after it had been ended, unfinished, " + ("for another one")


async def test_money_that_arrives_long_after_the_end_goes_back(harness: Harness) -> None:
    """A debit that was begun in the very moment in which it was ended."""
    workspace, made = await _given_one(harness, DECLINED)
    await harness.control.fault("error_before", operation="invoices.void", status=400)
    await open_page(harness, upgrade(workspace))
    await harness.settle_everything()
    await harness.give_card(made["customer"], DEBIT)
    methods = (await harness.control.objects(kind="payment_method"))["payment_method"]
    account = next(one["id"] for one in methods if one["type"] == "sepa_debit")
    await harness.client.v1.invoices.pay_async(made["latest_invoice"], {"payment_method": account})

    await _pay_late(harness, workspace)

    total = (await harness.control.sums())["total"]["eur"]
    assert (total["captured"], total["refunded"]) == (900, 900)
    assert [row["plan"] for row in await harness.rows("select plan from workspaces")] == ["free"]


@pytest.mark.parametrize("card", [DECLINED, DEBIT])
async def test_a_request_that_died_before_it_ended_it_is_finished_by_the_worker(harness: Harness, card: str) -> None:
    """What runs by then, or is at the bank, is left."""
    workspace, made = await _given_one(harness, card)
    await harness.execute("update subscriptions set is_extra = true")
    async with harness.database.transaction() as session:
        await enqueue(session, EndUnfinished(subscription_id=made["id"], workspace_id=workspace))

    await harness.settle_everything()

    ended = card == DECLINED
    assert await _at_stripe(harness) == [("canceled", "void") if ended else ("incomplete", "open")]
    (row,) = await harness.rows("select is_extra from subscriptions")
    assert row["is_extra"] is ended
