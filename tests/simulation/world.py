"""One ledger and one Stripe account for many seeds, and what happens in a seed: chaos, then healing, then the sums."""

import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from types import SimpleNamespace
from typing import Any, Final

import httpx
import pytest

from contracts import Fact
from purchases.every_table import METADATA
from purchases.reconcile.reconcile import reconcile_stretch
from purchases.stripe_api.client import stripe_client
from purchases.stripe_api.since import Stretch
from sandbox.stripe.app import create_app
from sandbox.stripe.control import StripeControl
from tests.integration.purchases.harness import DEBIT, Harness
from tests.simulation.parts import FailingDatabase, FailingStripe, Mishaps
from tests.simulation.scheduler import TRACE
from tests.stack.postgres import emptying

STRIPE: Final = "http://stripe.simulated"
CARDS: Final = ("pm_card_visa", "pm_card_visa", "pm_card_authenticationRequired", "pm_card_chargeCustomerFail", DEBIT)
ADDONS: Final = ("setup", "training")


@dataclass(kw_only=True)
class Said:
    """What a client was answered: by key, the purchase, and whether it was called paid."""

    purchases: dict[tuple[str, str], uuid.UUID] = field(default_factory=dict)
    paid: set[uuid.UUID] = field(default_factory=set)


@dataclass(kw_only=True)
class World:
    """What the actors of one seed act on."""

    harness: Harness
    random: Random
    mishaps: Mishaps
    said: Said = field(default_factory=Said)
    workspaces: Sequence[str] = ()
    sold: bool = False

    @property
    def control(self) -> StripeControl:
        return self.harness.control

    async def events_to_deliver(self) -> list[Fact]:
        """What Stripe has reported so far, as the gateway makes it."""
        return list(await self.harness.facts())


@asynccontextmanager
async def a_world(database: FailingDatabase) -> AsyncIterator[World]:
    """One for all seeds of a worker."""
    app, mishaps = create_app(public_url=STRIPE), Mishaps()
    database.mishaps = mishaps
    direct = httpx.AsyncClient(transport=httpx.ASGITransport(app=app))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("purchases.stripe_api.client.MAX_NETWORK_RETRIES", 0)
        patch.setattr("purchases.stripe_api.client.RATE_LIMIT_WAIT_SECONDS", 0.0)
        patch.setattr("purchases.stripe_api.client._retry_after", lambda _: 0.0)
        patch.setattr("chassis.backoff.Backoff.delay", lambda _: 0.0)
        async with StripeControl(STRIPE, client=direct) as control:
            client = stripe_client(secret_key="sk_test_x", api_base=STRIPE)
            http: Any = client._requestor._client
            await http._client_async.aclose()
            http._client_async = httpx.AsyncClient(transport=FailingStripe(app, mishaps, control))
            harness = Harness(database=database, client=client, control=control)
            yield World(harness=harness, random=Random(), mishaps=mishaps)
            await http.close_async()


@asynccontextmanager
async def seeded(world: World, seed: int) -> AsyncIterator[World]:
    """The same world, empty, where everything that is drawn or made up follows from `seed`."""
    random = Random(seed)
    ids, tokens = Random(f"ids {seed}"), Random(f"tokens {seed}")
    TRACE.set([])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("uuid.uuid4", lambda: uuid.UUID(int=ids.getrandbits(128), version=4))
        patch.setattr("sandbox.stripe.ids.os", SimpleNamespace(urandom=tokens.randbytes))
        world.mishaps.random = Random(f"mishaps {seed}")
        world.mishaps.database = world.mishaps.stripe = 0.0
        await _emptied(world)
        mine = World(harness=world.harness, random=random, mishaps=world.mishaps)
        await _furnished(mine)
        yield mine


async def _emptied(world: World) -> None:
    harness = world.harness
    await harness.control.reset()
    await harness.control.reset_faults()
    await harness.control.forget_idempotency_keys()
    await harness.control.settings(refund_delay=None)
    await harness.execute(emptying(METADATA.tables))
    harness.offsets, harness.addons = 0, {}


async def _furnished(world: World) -> None:
    for slug in ADDONS[: world.random.randint(1, len(ADDONS))]:
        await world.harness.given_an_addon(slug)
    cards = world.random.choices(CARDS, k=world.random.randint(1, 2))
    world.workspaces = [
        await world.harness.given_a_workspace(card, f"ws-{number}") for number, card in enumerate(cards)
    ]


async def healed(world: World, *, all_webhooks_lost: bool) -> None:
    """No more faults: time passes, the banks have their say, what Stripe reports arrives or not, the sweep runs."""
    world.mishaps.database = world.mishaps.stripe = 0.0
    await world.control.reset_faults()
    await _the_banks_decide(world)
    await world.harness.execute("update workspace_addon_purchases set leased_until = null")
    if not all_webhooks_lost and (facts := await world.events_to_deliver()):
        await world.harness.deliver(*facts)
    await world.harness.settle_everything()
    now = datetime.now(UTC)
    await reconcile_stretch(world.harness.context, Stretch(now - timedelta(hours=1), now + timedelta(hours=1)))
    await world.harness.settle_everything()


async def _the_banks_decide(world: World) -> None:
    for intent in (await world.control.objects(kind="payment_intent")).get("payment_intent", []):
        if intent["status"] == "requires_action":
            await world.control.authenticate(intent["id"])
        if intent["status"] == "processing":
            await world.control.settle_debit(intent["id"], succeeded=world.random.random() < 0.5)
