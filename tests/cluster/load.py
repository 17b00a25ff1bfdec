"""Load from outside while pods come and go: webhooks at a steady rate, reads of the APIs, and people who buy."""

import asyncio
import json
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from sandbox.driver import Driver
from sandbox.shop import bearer
from tests.bench.webhooks import signed_request
from tests.fixtures.stripe_events import BASIL, event

PER_SECOND: Final = 20
_READS_PER_SECOND: Final = 5
_BUYING_SECONDS: Final = 3.0


@dataclass(slots=True)
class Load:
    """What was sent and what came back. `failures` has every answer that is no success, and every lost connection."""

    driver: Driver
    secret: str
    accepted: set[str] = field(default_factory=set)
    answers: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    bought: int = 0

    async def webhook(self) -> None:
        """Send `customer.deleted` of somebody else's customer, and never again: a fact that changes nothing."""
        event_id = f"evt_{uuid.uuid4().hex}"
        body = {**event("customer.deleted", BASIL), "id": event_id}
        body["data"] = {"object": {**body["data"]["object"], "id": f"cus_{uuid.uuid4().hex[:14]}"}}
        head, _, content = signed_request(json.dumps(body).encode(), secret=self.secret).partition("\r\n\r\n")
        headers = dict(
            line.split(": ", 1) for line in head.split("\r\n")[1:] if not line.startswith(("Host", "Content-L"))
        )
        url = f"{self.driver.stack.gateway_url}/billing/webhook"
        if await self._send("webhook", "POST", url, headers=headers, content=content):
            self.accepted.add(event_id)

    async def read(self) -> None:
        """Read what a buyer and staff look at."""
        shop = self.driver.shops[0]
        await self._send(
            *("purchases", "GET", f"{self.driver.stack.purchases_url}/v1/workspaces/{shop.workspace_id}/purchases"),
            headers=bearer(shop.token),
        )
        await self._send("catalog", "GET", f"{self.driver.stack.catalog_url}/v1/addons", headers=bearer(shop.token))

    async def buy(self) -> None:
        """Let a new workspace buy what a new add-on is: catalog, purchases, Stripe and its webhooks, the notifier."""
        shop, addon = await self.driver.given_a_workspace(), await self.driver.given_an_addon()
        answer = await self.driver.buy(shop, addon)
        self.answers[f"buy {answer.status_code}"] += 1
        self.bought += answer.status_code == httpx.codes.CREATED
        if not answer.is_success:
            self.failures.append(f"buy: {answer.status_code} {answer.text[:300]}")

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Send all of it until the block ends; then wait for the answers that are still to come."""
        ended = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_every(1 / PER_SECOND, self.webhook, ended))
            tasks.create_task(_every(1 / _READS_PER_SECOND, self.read, ended))
            tasks.create_task(_one_by_one(_BUYING_SECONDS, self._bought, ended))
            try:
                yield
            finally:
                ended.set()

    async def _bought(self) -> None:
        try:
            await self.buy()
        except (httpx.HTTPError, AssertionError) as error:
            self.failures.append(f"buy: {error!r}")

    async def _send(self, what: str, method: str, url: str, **request: Any) -> bool:
        """Send over a connection of its own, as a proxy without kept connections does; never a second time."""
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=30, verify=False) as client:
                answer = await client.request(method, url, **request)
        except httpx.TransportError as error:
            self.failures.append(f"{what}: {error!r}")
            return False
        self.answers[f"{what} {answer.status_code}"] += 1
        if not answer.is_success:
            self.failures.append(f"{what}: {answer.status_code} {answer.text[:300]}")
        return answer.is_success


async def _every(seconds: float, send: Callable[[], Coroutine[Any, Any, None]], ended: asyncio.Event) -> None:
    """Send at a steady rate, whether or not answers came: slow answers must not thin out the load."""
    began, sent = time.monotonic(), 0
    async with asyncio.TaskGroup() as tasks:
        while not ended.is_set():
            tasks.create_task(send())
            sent += 1
            await asyncio.sleep(max(0.0, began + sent * seconds - time.monotonic()))


async def _one_by_one(pause: float, do: Callable[[], Coroutine[Any, Any, None]], ended: asyncio.Event) -> None:
    while not ended.is_set():
        await do()
        await asyncio.sleep(pause)
