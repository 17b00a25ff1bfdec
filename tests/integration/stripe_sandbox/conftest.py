"""The sandbox in a process of its own, the real stripe-python client, and a receiver of webhooks."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import stripe
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.ports import free_port
from sandbox.stripe.control import StripeControl

EUR_499 = 49_900
DAY = 24 * 3600
METADATA = {"purchase_id": "pur_1", "workspace_id": "ws_1"}


@dataclass(kw_only=True)
class Buyer:
    """A customer with a saved card, and what a test has him do through the real client."""

    client: stripe.StripeClient
    customer: str
    card: str

    @property
    def api(self) -> stripe._v1_services.V1Services:
        """The services under `client.v1`."""
        return self.client.v1

    async def draft(self, *, amount: int = EUR_499, currency: str = "eur") -> stripe.Invoice:
        """A draft with one item bound to it."""
        invoice = await self.api.invoices.create_async(
            {
                "customer": self.customer,
                "currency": currency,
                "auto_advance": False,
                "pending_invoice_items_behavior": "exclude",
                "metadata": METADATA,
            }
        )
        await self.api.invoice_items.create_async(
            {
                "customer": self.customer,
                "invoice": invoice.id,
                "amount": amount,
                "currency": currency,
                "description": "Professional AI Setup",
                "metadata": METADATA,
            }
        )
        return invoice

    async def open_invoice(self, *, amount: int = EUR_499, currency: str = "eur") -> stripe.Invoice:
        """A finalised invoice, its payments expanded."""
        invoice = await self.draft(amount=amount, currency=currency)
        return await self.api.invoices.finalize_invoice_async(invoice.id, {"expand": ["payments"]})

    async def pay(self, invoice: stripe.Invoice) -> stripe.Invoice:
        """Pay with the saved card, the buyer being away."""
        return await self.api.invoices.pay_async(
            invoice.id, {"payment_method": self.card, "off_session": True, "expand": ["payments"]}
        )

    async def paid_invoice(self, *, amount: int = EUR_499) -> stripe.Invoice:
        """An invoice that is paid."""
        return await self.pay(await self.open_invoice(amount=amount))

    async def declined(self, invoice: stripe.Invoice) -> stripe.CardError:
        """The refusal of a payment."""
        with pytest.raises(stripe.CardError) as refused:
            await self.pay(invoice)
        return refused.value


def intent_of(invoice: stripe.Invoice) -> str:
    """The payment intent of an invoice whose payments are expanded."""
    assert invoice.payments is not None
    intent = invoice.payments.data[0].payment.payment_intent
    assert isinstance(intent, str)
    return intent


@dataclass(kw_only=True)
class Receiver:
    """A webhook endpoint that keeps what it gets. `answers` are given first, then 200."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    received: list[tuple[bytes, str]] = field(default_factory=list)

    async def take(self, request: Request) -> Response:
        self.received.append((await request.body(), request.headers["stripe-signature"]))
        return Response(status_code=self.answers.pop(0) if self.answers else 200)

    @property
    def events(self) -> list[dict[str, Any]]:
        """The bodies, in the order of their arrival."""
        return [json.loads(body) for body, _ in self.received]

    def types(self) -> list[str]:
        """The types, in the order of their arrival."""
        return [event["type"] for event in self.events]

    def only(self, type_: str) -> dict[str, Any]:
        """The object of the one event of this type."""
        (event,) = [event for event in self.events if event["type"] == type_]
        found: dict[str, Any] = event["data"]["object"]
        return found


@pytest.fixture(scope="session")
async def stripe_url() -> AsyncIterator[str]:
    """The sandbox as its users start it."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "sandbox.stripe", "--port", str(port))
    await until_open(port)
    yield url
    process.terminate()
    await asyncio.wait_for(process.wait(), timeout=5)


async def until_open(port: int) -> None:
    """Wait until somebody listens on `port`."""
    for _ in range(500):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.01)
        else:
            writer.close()
            return
    raise TimeoutError(f"nobody listens on {port}")


@pytest.fixture(scope="session")
async def connected(stripe_url: str) -> AsyncIterator[StripeControl]:
    """The control client, whose connections all tests share."""
    async with StripeControl(stripe_url) as control:
        yield control


@pytest.fixture
async def control(connected: StripeControl) -> StripeControl:
    """The control client; every test starts with an empty account and quick retries."""
    await connected.reset()
    await connected.settings(
        retry_schedule=[0.05, 0.05, 0.1],
        refund_delay=0.05,
        invoice_authentication="requires_action",
        dunning_schedule=[3 * DAY, 5 * DAY, 7 * DAY],
        dunning_end="cancel",
    )
    return connected


@pytest.fixture(scope="session")
async def http() -> AsyncIterator[stripe.HTTPXClient]:
    """The connections of the real client."""
    http = stripe.HTTPXClient(timeout=5)
    yield http
    await http.close_async()  # type: ignore[no-untyped-call]


@pytest.fixture
def client(stripe_url: str, control: StripeControl, http: stripe.HTTPXClient) -> stripe.StripeClient:
    """The real client, with nothing changed but the address."""
    return client_at(stripe_url, http=http)


def client_at(url: str, *, http: stripe.HTTPClient, version: str | None = None) -> stripe.StripeClient:
    """A client of the sandbox, pinned to `version` when one is given."""
    return stripe.StripeClient("sk_test_sandbox", base_addresses={"api": url}, http_client=http, stripe_version=version)


@pytest.fixture
async def buyer(client: stripe.StripeClient) -> Buyer:
    """Somebody with a good card."""
    return await buyer_with("pm_card_visa", client=client)


async def buyer_with(card: str, *, client: stripe.StripeClient) -> Buyer:
    """Somebody with a card of Stripe's tests as the default."""
    customer = await client.v1.customers.create_async({"email": "olga@example.com", "name": "Olga"})
    method = await client.v1.payment_methods.attach_async(card, {"customer": customer.id})
    await client.v1.customers.update_async(customer.id, {"invoice_settings": {"default_payment_method": method.id}})
    return Buyer(client=client, customer=customer.id, card=method.id)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A webhook endpoint over real HTTP, registered nowhere yet."""
    port, receiver = free_port(), Receiver()
    receiver.url = f"http://127.0.0.1:{port}/webhook"
    app = Starlette(routes=[Route("/webhook", receiver.take, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="critical", lifespan="off"))
    task = asyncio.create_task(server._serve())
    await until_open(port)
    yield receiver
    server.should_exit = True
    await task
