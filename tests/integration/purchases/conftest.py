"""A migrated ledger on PostgreSQL, and the Stripe sandbox behind a socket of this process."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import stripe

from chassis.database.database import Database, plain_connection
from chassis.web.server import HttpServer
from purchases.every_table import METADATA
from purchases.main import MIGRATIONS
from purchases.stripe_api.client import stripe_client
from sandbox.stripe.app import create_app
from sandbox.stripe.control import StripeControl
from tests.integration.purchases.checkouts import given_builder_and_two_addons
from tests.integration.purchases.harness import Harness
from tests.stack.postgres import NewDatabase, Template, emptying


@pytest.fixture(scope="module")
async def stripe_url() -> AsyncIterator[str]:
    async with HttpServer(create_app(), "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.port}"


@pytest.fixture(scope="module")
async def migrated(module_database_url: NewDatabase, template: Template) -> AsyncIterator[Database]:
    url = await module_database_url(like=await template(MIGRATIONS))
    async with plain_connection(url, name="purchases-tests") as connection:
        # Thousands of small transactions, none of which must survive a power cut.
        await connection.execute(f"alter database {url.rpartition('/')[2]} set synchronous_commit = off")
    async with Database(url, name="purchases-tests") as database:
        yield database


@pytest.fixture(scope="module")
async def client(stripe_url: str) -> AsyncIterator[stripe.StripeClient]:
    """The service's own client, but for its retries, which would only take time here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("purchases.stripe_api.client.MAX_NETWORK_RETRIES", 0)
        patch.setattr("purchases.stripe_api.client.RATE_LIMIT_WAIT_SECONDS", 0.01)
        client = stripe_client(secret_key="sk_test_x", api_base=stripe_url)
        yield client
    http: Any = client._requestor._client
    await http.close_async()


@pytest.fixture(scope="module")
async def control(stripe_url: str) -> AsyncIterator[StripeControl]:
    async with StripeControl(stripe_url) as control:
        yield control


@pytest.fixture
async def harness(migrated: Database, client: stripe.StripeClient, control: StripeControl) -> Harness:
    """An empty ledger and an empty Stripe account."""
    await control.reset()
    await control.settings(refund_delay=None, invoice_authentication="requires_action")
    harness = Harness(database=migrated, client=client, control=control)
    await harness.execute(emptying(METADATA.tables))
    return harness


@pytest.fixture
async def builder(harness: Harness) -> None:
    """The plan in each currency and interval, and the two add-ons of a bundle, are for sale."""
    await given_builder_and_two_addons(harness)
