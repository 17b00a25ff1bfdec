"""The sandbox with a recorder around it, walked through once; and stripe-mock."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from purchases.stripe_api.client import stripe_client
from sandbox.stripe.account import Settings
from sandbox.stripe.app import create_app
from sandbox.stripe.control import Json, StripeControl
from tests.conformance.go_module import binary, description
from tests.conformance.product import Shop, trade
from tests.conformance.recorder import Exchange, Recorder
from tests.conformance.serving import served, stripe_mock
from tests.conformance.tour import walk
from tests.conformance.walker import Walker


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What was said during the walk, and by the product; and the events that both caused."""

    walk: list[Exchange]
    product: list[Exchange]
    events: list[Json]

    @property
    def all(self) -> list[Exchange]:
        """Every request with its answer."""
        return self.walk + self.product


@pytest.fixture(scope="session")
async def record() -> Record:
    """Walk once; the tests look at what was said."""
    recorders: list[Recorder] = []

    def make(url: str) -> Recorder:
        settings = Settings(public_url=url, api_version=description()["info"]["version"], refund_delay=None)
        recorders.append(Recorder(app=create_app(settings=settings)))
        return recorders[-1]

    async with served(make) as url, StripeControl(url) as control:
        async with httpx.AsyncClient(auth=("sk_test_tour", ""), timeout=30) as http:
            await walk(Walker(http=http, control=control))
        walked = len(recorders[0].exchanges)
        client = stripe_client(secret_key="sk_test_product", api_base=url)
        await trade(Shop(client=client, control=control))
        await client._requestor._client.close_async()  # type: ignore[union-attr]
        events = await control._data("/events")
    said = recorders[0].exchanges
    return Record(walk=said[:walked], product=said[walked:], events=events)


@pytest.fixture(scope="session")
async def mock() -> AsyncIterator[httpx.AsyncClient]:
    """stripe-mock, which knows every operation and parameter of the description and no state."""
    binary()
    async with (
        stripe_mock() as url,
        httpx.AsyncClient(base_url=url, headers={"Authorization": "Bearer sk_test_mock"}, timeout=30) as client,
    ):
        yield client
