"""Purchases without its processes: the real handlers, consumer and jobs on PostgreSQL and the Stripe sandbox."""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from sqlalchemy import text
from stripe import StripeClient

from chassis.database.database import Database
from chassis.database.kept_rows import MAINTENANCE
from chassis.kafka.records import StoredRecord
from chassis.outbox.consumer import Consumer
from chassis.process.health import Health
from chassis.process.settings import ServiceSettings
from contracts import TOPICS, AddonState, Fact, seal
from contracts.stripe_facts import StripeFact
from purchases.batch.context import CONSUMER, Pages, keep_names
from purchases.buying.buy import Bought, Order, buy
from purchases.customers.register_workspace import Registration, register_workspace
from purchases.jobs.stripe_context import ApplyFacts, WorkerContext
from purchases.ledger import store as ledger
from purchases.ledger.rows import Purchase
from purchases.ledger.transitions import Status
from purchases.worker.events import apply_facts
from purchases.worker.run_jobs import JobsLoop
from sandbox.stripe.control import StripeControl
from tests.fixtures.expected_facts import model_of
from tests.integration.purchases.statements import FOLLOWING, KNOWS, REMEMBER, SET_BACK, STATE
from webhook_gateway.stripe_events.normalisers import NORMALISERS, normalise

Json = dict[str, Any]
INSTANCE: Final = "test"
PRICE: Final = 49_900
DEBIT: Final = "sepa_debit"
"""A bank account: its payments are `processing` until the bank has said what comes of them."""
LEASE: Final = timedelta(minutes=3)
PAGES: Final = "https://billing.example"
RETURN_URL: Final = "https://app.example/back"
ROUNDS: Final = 8


@dataclass(kw_only=True)
class Harness:
    """One ledger, one Stripe account, and what a test does to them."""

    database: Database
    client: StripeClient
    control: StripeControl
    offsets: int = 0
    since: int = 0
    """How many of Stripe's events are about something else."""
    addons: dict[str, uuid.UUID] = field(default_factory=dict)

    @property
    def context(self) -> WorkerContext:
        return WorkerContext(database=self.database, client=self.client, instance=INSTANCE, apply=self.apply)

    @property
    def apply(self) -> ApplyFacts:
        return partial(apply_facts, instance=INSTANCE, pages=Pages(PAGES))

    @property
    def loop(self) -> JobsLoop:
        return JobsLoop(context=self.context, health=Health())

    @property
    def consumer(self) -> Consumer:
        """The real one, fed by hand: inbox, one transaction per batch, FATES, bisecting, parking."""
        return Consumer(
            topics=(),
            group=CONSUMER,
            database=self.database,
            handle=self.apply,
            settings=ServiceSettings(app_env="testing"),
            health=Health(),
            note=keep_names,
        )

    async def given_an_addon(self, slug: str = "setup", *, price_cents: int = PRICE, sequence: int = 1) -> str:
        """An active add-on, EUR 499.00 unless another price is given."""
        addon_id = self.addons.setdefault(slug, uuid.uuid4())
        state = AddonState(
            addon_id=addon_id,
            sequence=sequence,
            occurred_at=datetime.now(UTC),
            slug=slug,
            name="Professional AI Setup",
            price_cents=price_cents,
            currency="EUR",
            is_active=True,
            sort_order=0,
        )
        await self.deliver(state)
        return slug

    async def given_a_workspace(self, card: str | None = "pm_card_visa", workspace_id: str | None = None) -> str:
        """A workspace with its Stripe customer; `card` is the one it pays with."""
        workspace_id = workspace_id or f"ws-{uuid.uuid4().hex[:8]}"
        registered = await register_workspace(
            self.context,
            registration=Registration(
                workspace_id=workspace_id, name="Acme", owner_user_id="olga", owner_email="olga@acme.example"
            ),
        )
        if card is not None:
            await self.give_card(str(registered.stripe_customer_id), card)
        return workspace_id

    async def give_card(self, customer_id: str, card: str) -> None:
        """Save a card of Stripe's tests, or a bank account (DEBIT), as the customer's default."""
        named = await self._bank_account() if card == DEBIT else card
        method = await self.client.v1.payment_methods.attach_async(named, {"customer": customer_id})
        await self.client.v1.customers.update_async(
            customer_id, {"invoice_settings": {"default_payment_method": method.id}}
        )

    async def _bank_account(self) -> str:
        details = {"name": "Olga", "email": "olga@acme.example"}
        account: Any = {
            "type": "sepa_debit",
            "sepa_debit": {"iban": "AT611904300234573201"},
            "billing_details": details,
        }
        return (await self.client.v1.payment_methods.create_async(account)).id

    def order(self, workspace_id: str, slug: str = "setup", *, key: str | None = None, **changes: Any) -> Order:
        """What a buyer of the add-on asks for."""
        asked: Json = {
            "workspace_id": workspace_id,
            "addon_slug": slug,
            "expected_price_cents": PRICE,
            "expected_currency": "EUR",
            "return_url": RETURN_URL,
            "idempotency_key": key or uuid.uuid4().hex,
            "buyer": "user:olga",
        }
        return Order(**(asked | changes))

    async def buy(self, order: Order) -> Bought:
        """Sell it, as the API does."""
        return await buy(self.context, lease=LEASE, order=order)

    async def given_a_purchase(self, card: str = "pm_card_visa") -> Purchase:
        """What a new workspace with this card bought."""
        await self.given_an_addon()
        return (await self.buy(self.order(await self.given_a_workspace(card)))).purchase

    async def purchase(self, purchase_id: uuid.UUID) -> Purchase:
        """The row as it is now."""
        async with self.database.reading() as session:
            found = await ledger.find(session, purchase_id)
        assert found is not None
        return found

    async def deliver(self, *facts: Fact) -> None:
        """One batch off Kafka."""
        await self.consumer._on_batch([self._record(fact) for fact in facts])

    def _record(self, fact: Fact) -> StoredRecord:
        self.offsets += 1
        headers = seal(fact, occurred_at=datetime.now(UTC)).to_headers()
        body = fact.model_dump_json().encode()
        return StoredRecord(TOPICS[type(fact)].name, 0, self.offsets, fact.key.encode(), body, headers)

    async def facts(self, *, version: str | None = None, since: int | None = None) -> list[StripeFact]:
        """What the gateway makes of Stripe's events, oldest first, in the shape of `version`."""
        events = await self.control.events(version=version)
        handled = [event for event in events[self.since if since is None else since :] if event["type"] in NORMALISERS]
        now = datetime.now(UTC).timestamp()
        return [model_of(normalise(event=event, body=json.dumps(event).encode(), received_at=now)) for event in handled]

    async def settle_everything(self) -> None:
        """Do jobs and try parked facts again, whenever they are due, until nothing changes any more."""
        seen = await self._state()
        for _ in range(ROUNDS):
            if not seen["open"]:
                return
            await self.run_jobs()
            await self.retry_parked()
            if seen == (seen := await self._state()):
                return
        raise AssertionError(f"it does not come to rest: {seen}")

    async def run_jobs(self) -> None:
        """Do every open job once."""
        await self.execute("update stripe_commands set due_at = now(), leased_until = null where state = 'open'")
        while await self.loop.do_one():
            pass

    async def retry_parked(self) -> None:
        """Every parked fact that waits for something once."""
        await self.execute("update parked set retry_at = now() where resolved_at is null and waits_for is not null")
        while await self.consumer._retry_one():
            pass

    async def _state(self) -> Json:
        """What a further round could change, and whether there is anything to do in one."""
        (state,) = await self.rows(STATE)
        return state

    async def execute(self, statement: str, **parameters: Any) -> None:
        """SQL of the test's own, which may change what the service may not."""
        async with self.database.transaction() as session:
            await session.execute(text(MAINTENANCE))
            await session.execute(text(statement), parameters)

    async def rows(self, query: str, **parameters: Any) -> list[Json]:
        """What PostgreSQL answers."""
        async with self.database.reading() as session:
            return [dict(row) for row in (await session.execute(text(query), parameters)).mappings()]

    async def published(self, *, kind: type[Fact] | None = None) -> list[Json]:
        """The facts in the outbox, oldest first, without the state that goes with each."""
        rows = await self.rows(
            "select headers, payload from outbox where topic = 'billing.purchase.events.v1' order by id"
        )
        return [json.loads(row["payload"]) for row in rows if kind is None or row["headers"]["ce_type"] == kind.TYPE]

    async def workspace_facts(self, workspace_id: str) -> list[tuple[str, Json]]:
        """Facts of one workspace in the outbox, oldest first: what the type calls it, and the body."""
        rows = await self.rows(
            "select headers, payload from outbox where topic = 'billing.workspace.events.v1' and key = :id order by id",
            id=workspace_id,
        )
        return [(_kind(row["headers"]), json.loads(row["payload"])) for row in rows]

    async def register(self, workspace_id: str, **more: Any) -> None:
        """As the host product does, again."""
        await register_workspace(
            self.context,
            registration=Registration(
                workspace_id=workspace_id,
                name="Acme",
                owner_user_id="olga",
                owner_email="olga@acme.example",
                **more,
            ),
        )

    async def jobs(self, kind: str) -> list[Json]:
        """Return the jobs of one kind, oldest first."""
        return await self.rows("select * from stripe_commands where kind = :kind order by id", kind=kind)

    async def parked(self) -> list[Json]:
        """The facts that are set aside."""
        return await self.rows("select * from parked where resolved_at is null order by id")

    async def requests(self, operation: str) -> Sequence[Json]:
        """What the product asked of Stripe."""
        return await self.control.requests(operation=operation)

    async def refunds_at_stripe(self) -> list[Json]:
        """Every refund there is."""
        found: list[Json] = (await self.control.objects(kind="refund"))["refund"]
        return found

    async def put(
        self, purchase: Purchase, status: Status, *, payable: bool = True, knows_invoice: bool = False
    ) -> None:
        """Set a purchase back to `status`, its lease over, knowing nothing of Stripe's objects but its invoice's id."""
        async with self.database.transaction() as session:
            await session.execute(text(MAINTENANCE))
            await session.execute(text(SET_BACK), {"id": purchase.id, "status": status.value, "payable": payable})
            if knows_invoice:
                await session.execute(text(KNOWS), {"id": purchase.id, "invoice": purchase.stripe_invoice_id})
            for table in FOLLOWING:
                await session.execute(text(f"delete from {table}"))
            await session.execute(text(REMEMBER), _line(purchase, None, "pending", "bought"))
            if status is Status.CANCELLED:
                await session.execute(text(REMEMBER), _line(purchase, "pending", "cancelled", "cancelled"))


def _line(purchase: Purchase, before: str | None, after: str, trigger: str) -> Json:
    return {"id": purchase.id, "before": before, "after": after, "trigger": trigger}


def _kind(headers: Any) -> str:
    """`billing.workspace.plan_changed.v1` → `plan_changed`."""
    return str(dict(headers)["ce_type"]).split(".")[2]
