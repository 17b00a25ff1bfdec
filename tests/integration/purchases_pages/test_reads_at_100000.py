"""At 100,000 rows in every table that grows, no statement reads more than what it is about.

The measure is PostgreSQL's own count of the rows and index entries that each statement read, as the product ran it.
"""

import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from stripe import StripeClient

from chassis.database.database import Database
from chassis.outbox import outbox
from chassis.outbox.relay import BATCH, SELECT
from contracts.stripe_facts import RefundChanged
from contracts.stripe_facts.money_back import RefundSnapshot
from purchases.ledger.transitions import Status
from purchases.main import MIGRATIONS
from purchases.reconcile.reconcile import reconcile_stretch
from purchases.stripe_api.since import Stretch
from purchases.worker.pruned import PRUNES
from purchases.workspaces import store as workspaces
from sandbox.stripe.control import StripeControl
from tests.integration.purchases.checkouts import given_builder_and_two_addons, open_page, upgrade
from tests.integration.purchases.crowd import fill
from tests.integration.purchases.harness import Harness
from tests.integration.purchases_api.conftest import STAFF
from tests.integration.purchases_pages.conftest import Site
from tests.stack.postgres import NewDatabase, Template
from tests.stack.reads import every_statement

MOST = 1_000
"""Rows and index entries that one statement may read: a page of 100 with what belongs to each."""
COUNTED = 10_000
"""So far gauges count."""
TWICE = 2
WORKSPACE = "crowd-77777"
KINDS = ("refunds", "disputes")
STAFF_READ = [
    "/v1/admin/purchases",
    "/v1/admin/purchases?status=failed",
    "/v1/admin/purchases?status=delivered&limit=100",
    f"/v1/admin/purchases?workspace={WORKSPACE}",
    "/v1/admin/purchases?from=2020-01-01&to=2020-02-01",
    *[
        f"/v1/admin/purchases?stripe_id={known}77777"
        for known in (
            "in_crowd",
            "pi_crowd",
            "ch_crowd",
            "re_crowd",
            "du_crowd",
            "cus_crowd",
            "price_crowd",
            "evt_crowd",
        )
    ],
    "/v1/admin/purchases?stripe_id=in_odd77777",
    "/v1/admin/purchases?stripe_id=in_nobody",
    *[f"/v1/admin/plan-{kind}{query}" for kind in KINDS for query in ("", "?limit=100", f"?workspace={WORKSPACE}")],
    "/v1/admin/parked",
    "/v1/admin/parked?limit=100",
    "/v1/admin/parked?state=resolved",
    "/admin/purchases",
    f"/admin/purchases?workspace={WORKSPACE}",
    "/admin/parked",
]
OWNERS_READ = [
    f"/v1/workspaces/{WORKSPACE}/{what}"
    for what in (
        "addons",
        "purchases",
        "purchases?limit=1",
        "billing",
        "resources",
        *(f"plan-{kind}" for kind in KINDS),
    )
]
OWNERS_SEE = [f"/app/{WORKSPACE}/{what}" for what in ("settings/billing", "billing/addons")]


@pytest.fixture(scope="module")
async def migrated(module_database_url: NewDatabase, template: Template) -> AsyncIterator[Database]:
    """In place of the empty one."""
    url = await module_database_url(like=await template(MIGRATIONS))
    async with Database(url, name="purchases-tests") as database:
        await fill(database)
        yield database


@pytest.fixture(scope="module")
async def crowded(migrated: Database, client: StripeClient, control: StripeControl) -> Harness:
    """A plan and add-ons for sale, among all the others."""
    await control.reset()
    harness = Harness(database=migrated, client=client, control=control)
    await given_builder_and_two_addons(harness)
    await harness.execute(
        "insert into plans (slug, sequence, name, caps, prices) values ('free', 1, 'Free', '{}', '[]')"
    )
    return harness


async def settle(harness: Harness) -> None:
    """Carry out and try again what is due now; what the crowd waits for is due tomorrow."""
    while await harness.loop.do_one() or await harness.consumer._retry_one():
        pass


async def test_buying_and_hearing_of_it(crowded: Harness) -> None:
    with every_statement(crowded.database, reads_at_most=MOST):
        bought = await crowded.given_a_purchase()
        declined = await crowded.given_a_purchase("pm_card_chargeCustomerFail")
        await crowded.deliver(*await crowded.facts())
        await settle(crowded)

    assert (await crowded.purchase(bought.id)).status is Status.PAID
    assert (await crowded.purchase(declined.id)).status is Status.FAILED


async def test_money_that_goes_back(crowded: Harness) -> None:
    """Refunds and disputes of ours, and a refund of another product."""
    refunded, disputed = [await crowded.given_a_purchase() for _ in range(2)]
    await crowded.control.refund_as_dashboard(invoice=refunded.stripe_invoice_id)
    dispute = await crowded.control.open_dispute(invoice=disputed.stripe_invoice_id)
    await crowded.control.close_dispute(dispute["id"], status="lost")

    with every_statement(crowded.database, reads_at_most=MOST):
        await crowded.deliver(*await crowded.facts())
        await crowded.deliver(refund_of_a_stranger())
        await settle(crowded)

    ended = [(await crowded.purchase(one.id)).status for one in (refunded, disputed)]
    assert ended == [Status.REFUNDED, Status.REFUNDED]


def refund_of_a_stranger() -> RefundChanged:
    name = uuid.uuid4().hex
    return RefundChanged(
        stripe_event_id=f"evt_{name}",
        stripe_event_type="refund.created",
        api_version="2025-09-30.clover",
        livemode=False,
        occurred_at=datetime.now(UTC),
        object_id=f"re_{name}",
        payment_intent_id=f"pi_{name}",
        refund=RefundSnapshot(refund_id=f"re_{name}", amount=700, currency="eur", status="succeeded"),
    )


async def test_a_plan_with_addons_from_checkout_to_its_end(crowded: Harness) -> None:
    workspace = await crowded.given_a_workspace()

    with every_statement(crowded.database, reads_at_most=MOST):
        opened = await open_page(crowded, upgrade(workspace, "setup"))
        await crowded.control.complete_session(opened.session_id)
        await crowded.deliver(*await crowded.facts())
        await settle(crowded)
        async with crowded.database.reading() as session:
            registered = await workspaces.find(session, workspace)

    assert registered is not None
    assert registered.plan == "builder"


async def test_money_of_a_plan_that_goes_back(crowded: Harness) -> None:
    """Of a charge that paid the plan alone, and of one that paid an add-on with it."""
    for addons in ((), ("training",)):
        workspace = await crowded.given_a_workspace()
        opened = await open_page(crowded, upgrade(workspace, *addons))
        await crowded.control.complete_session(opened.session_id)
        for invoice in (await crowded.control.objects(kind="invoice"))["invoice"][-1:]:
            await crowded.control.refund_as_dashboard(invoice=invoice["id"], amount=None if addons else 100)
            if not addons:
                await crowded.control.open_dispute(invoice=invoice["id"])

    with every_statement(crowded.database, reads_at_most=MOST):
        await crowded.deliver(*await crowded.facts())
        await settle(crowded)

    shares = await crowded.rows("select refund_cents from workspace_refunds where stripe_refund_id not like 're_plan%'")
    assert sorted(row["refund_cents"] for row in shares) == [100, 900]


async def test_the_sweep_of_a_day(crowded: Harness) -> None:
    purchase = await crowded.given_a_purchase()
    await crowded.control.refund_as_dashboard(invoice=purchase.stripe_invoice_id)
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)

    with every_statement(crowded.database, reads_at_most=MOST) as reads:
        await reconcile_stretch(crowded.context, Stretch(today, datetime.now(UTC)))

    assert reads.statements > 0


async def test_deleting_what_is_resolved_for_long(crowded: Harness) -> None:
    with every_statement(crowded.database, reads_at_most=MOST):
        async with crowded.database.transaction() as session:
            assert [await prune(session, timedelta(days=90), 10) for prune in PRUNES.values()] == [0] * len(PRUNES)


async def test_the_gauges(crowded: Harness) -> None:
    with every_statement(crowded.database, reads_at_most=COUNTED + MOST):
        await crowded.consumer._export_parked()
        async with crowded.database.reading() as session:
            backlog = await outbox.backlog(session)

    assert backlog.facts == COUNTED


async def test_the_relay(crowded: Harness) -> None:
    with every_statement(crowded.database, reads_at_most=BATCH + MOST):
        async with crowded.database.reading() as session:
            connection = await session.connection()
            rows = (await connection.exec_driver_sql(SELECT, (BATCH, ["billing.x"], ["k1"], []))).all()

    assert len(rows) == BATCH


async def read(visitor: httpx.AsyncClient, address: str) -> httpx.Response:
    """The answer, and the one behind its cursor."""
    answer = await visitor.get(address)
    assert answer.status_code == httpx.codes.OK, (address, answer.text)
    if address.startswith("/v1") and (cursor := answer.json().get("next_cursor")):
        behind = await visitor.get(address, params={**httpx.URL(address).params, "cursor": cursor})
        assert behind.status_code == httpx.codes.OK, (address, behind.text)
    return answer


@pytest.mark.parametrize("address", STAFF_READ)
async def test_what_staff_read(crowded: Harness, service: Site, address: str) -> None:
    staff = service.visitor(STAFF, Authorization=f"Bearer {service.issuer.mint(STAFF)}").http

    with every_statement(crowded.database, reads_at_most=MOST):
        for _ in range(TWICE):
            await read(staff, address)


async def test_one_purchase_and_one_parked_item_for_staff(crowded: Harness, service: Site) -> None:
    staff = service.visitor(STAFF, Authorization=f"Bearer {service.issuer.mint(STAFF)}").http
    (purchase,) = (await read(staff, f"/v1/admin/purchases?workspace={WORKSPACE}")).json()["purchases"]
    items = (await read(staff, "/v1/admin/parked?limit=100")).json()["items"]

    with every_statement(crowded.database, reads_at_most=MOST):
        await read(staff, f"/v1/admin/purchases/{purchase['id']}")
        await read(staff, f"/admin/purchases/{purchase['id']}")
        await read(staff, f"/admin/parked/{items[0]['id']}")


@pytest.mark.parametrize("address", OWNERS_READ + OWNERS_SEE)
async def test_what_a_workspaces_people_read(crowded: Harness, service: Site, address: str) -> None:
    claims = {"sub": "olga", "workspaces": {WORKSPACE: "owner"}}
    owner = service.visitor(claims, Authorization=f"Bearer {service.issuer.mint(claims)}").http

    with every_statement(crowded.database, reads_at_most=MOST):
        for _ in range(TWICE):
            await read(owner, address)
