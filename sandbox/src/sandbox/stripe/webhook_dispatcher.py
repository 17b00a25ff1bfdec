"""Delivers events to the webhook endpoints: signed, concurrently, in no order, again until they are taken."""

import asyncio
import json
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Final

import httpx

from sandbox.stripe.account import Account
from sandbox.stripe.model import Event, Json, WebhookEndpoint
from sandbox.stripe.render import exists_in, render_event
from sandbox.stripe.signing import signature_header
from sandbox.stripe.webhook_rules import Mishap, WebhookRule, WebhookRules

USER_AGENT: Final = "Stripe/1.0 (+https://stripe.com/docs/webhooks)"


@dataclass(slots=True, kw_only=True, eq=False)
class Delivery:
    """One event on its way to one endpoint. States: pending, held, delivered, failed, dropped."""

    event: Event
    endpoint: str
    state: str = "pending"
    attempts: int = 0
    statuses: list[int | None] = field(default_factory=list)

    def as_json(self) -> Json:
        """Return the delivery for the control API; a status of null is a connection that failed."""
        return {
            "event": self.event.id,
            "type": self.event.type,
            "endpoint": self.endpoint,
            "state": self.state,
            "attempts": self.attempts,
            "statuses": self.statuses,
        }


class WebhookDispatcher:
    """Owns every delivery, and the account's timers."""

    def __init__(self, *, account: Account) -> None:
        self.account = account
        self.rules = WebhookRules()
        self.deliveries: list[Delivery] = []
        self._by_event: dict[str, list[Delivery]] = {}
        self._held: list[Delivery] = []
        self._waiting: list[Delivery] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._alarms: list[asyncio.TimerHandle] = []
        self._client: httpx.AsyncClient | None = None
        self._lanes: dict[str, asyncio.Semaphore] = {}
        account.on_event = self.dispatch
        account.is_delivered = self.is_delivered
        account.later = self.later
        account.alarm = self.alarm

    def dispatch(self, event: Event) -> None:
        """Send the event to every endpoint that listens to its type, as the rules allow."""
        for endpoint in self.account.webhook_endpoints.newest_first():
            if listens(endpoint, event, default=self.account.settings.api_version):
                self._send_off(event=event, endpoint=endpoint)

    def resend(self, *, event: Event, endpoint: WebhookEndpoint, copies: int = 1) -> None:
        """Deliver an event again, past all rules, as the Dashboard's button does; copies go in parallel."""
        for _ in range(copies):
            self._start(self._carry(self._new(event=event, endpoint=endpoint)))

    def release(self, *, reverse: bool = False) -> int:
        """Deliver everything that was held, and say how many that were."""
        held, self._held = self._held, []
        for delivery in reversed(held) if reverse else held:
            delivery.state = "pending"
            self._start(self._carry(delivery))
        return len(held)

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """Do something after `seconds`; `quiet` waits for it."""

        async def wait_and_act() -> None:
            await asyncio.sleep(seconds)
            act()

        self._start(wait_and_act())

    def alarm(self, seconds: float, act: Callable[[], None]) -> None:
        """Do something after `seconds`, perhaps a day; `quiet` does not wait for it."""
        self._alarms.append(asyncio.get_running_loop().call_later(seconds, act))

    def pending(self) -> int:
        """Deliveries and timers under way, not counting what is held."""
        return len(self._tasks)

    def held(self) -> int:
        """Deliveries that wait for `release`."""
        return len(self._held)

    async def quiet(self, *, timeout: float) -> bool:  # noqa: ASYNC109 - the caller's patience
        """Wait until nothing is under way."""
        deadline = time.monotonic() + timeout
        while self._tasks and time.monotonic() < deadline:
            await asyncio.wait(self._tasks, timeout=deadline - time.monotonic())
        return not self._tasks

    def is_delivered(self, event: Event) -> bool:
        """Return whether every endpoint that was to have the event has it, as `delivery_success` asks."""
        return all(one.state == "delivered" for one in self._by_event.get(event.id, ()))

    def of_event(self, event: str) -> list[Delivery]:
        """Return the deliveries of one event."""
        return self._by_event.get(event, [])

    async def close(self) -> None:
        """Stop at once; nothing is delivered any more."""
        self._silence()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client:
            await self._client.aclose()
            self._client = None

    def clear(self) -> None:
        """Forget everything under way and all rules."""
        self._silence()
        for task in self._tasks:
            task.cancel()
        self.rules.rules.clear()
        self.deliveries.clear()
        self._by_event.clear()
        self._held.clear()
        self._waiting.clear()

    def _silence(self) -> None:
        for alarm in self._alarms:
            alarm.cancel()
        self._alarms.clear()

    def _send_off(self, *, event: Event, endpoint: WebhookEndpoint) -> None:
        met = self.rules.hits(type=event.type, endpoint=endpoint.id)
        copies = met[Mishap.DUPLICATE].copies if Mishap.DUPLICATE in met else 1
        for _ in range(copies):
            delivery = self._new(event=event, endpoint=endpoint)
            if Mishap.DROP in met:
                delivery.state = "dropped"
            elif Mishap.HOLD in met:
                delivery.state = "held"
                self._held.append(delivery)
            elif Mishap.REORDER in met:
                self._collect(delivery, rule=met[Mishap.REORDER])
            else:
                delay = met[Mishap.DELAY].seconds if Mishap.DELAY in met else 0
                self._start(self._carry(delivery, delay=delay))

    def _new(self, *, event: Event, endpoint: WebhookEndpoint) -> Delivery:
        delivery = Delivery(event=event, endpoint=endpoint.id)
        self.deliveries.append(delivery)
        self._by_event.setdefault(event.id, []).append(delivery)
        return delivery

    def _collect(self, delivery: Delivery, *, rule: WebhookRule) -> None:
        self._waiting.append(delivery)
        if len(self._waiting) == 1:
            self._start(self._carry_collected(rule=rule))

    async def _carry_collected(self, *, rule: WebhookRule) -> None:
        await asyncio.sleep(rule.seconds)
        collected, self._waiting = self._waiting, []
        ordered = sorted(collected, key=lambda one: rule.place_of(one.event.type))
        for delivery in ordered if rule.order else reversed(collected):
            if not await self._attempt(delivery):
                self._start(self._carry(delivery))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, delivery: Delivery, *, delay: float = 0) -> None:
        """Try until the endpoint takes it; then after each pause of the schedule; then give up."""
        if delay:
            await asyncio.sleep(delay)
        for pause in (0, *self.account.settings.retry_schedule):
            if pause:
                await asyncio.sleep(pause)
            if await self._attempt(delivery):
                return
        delivery.state = "failed"

    async def _attempt(self, delivery: Delivery) -> bool:
        """One POST. True when there is nothing more to do, also because the endpoint is gone."""
        endpoint = self.account.webhook_endpoints.find(delivery.endpoint)
        if endpoint is None or endpoint.status != "enabled":
            delivery.state = "failed"
            return True
        status = await self._post(delivery, endpoint=endpoint)
        delivery.attempts += 1
        delivery.statuses.append(status)
        taken = status is not None and 200 <= status < 300
        if taken:
            delivery.state = "delivered"
        return taken

    async def _post(self, delivery: Delivery, *, endpoint: WebhookEndpoint) -> int | None:
        async with self._lane(endpoint.id):
            body = self._body(delivery, endpoint=endpoint)
            headers = {
                "Content-Type": "application/json; charset=utf-8",
                "User-Agent": USER_AGENT,
                "Stripe-Signature": signature_header(body=body, secrets=endpoint.secrets, timestamp=int(time.time())),
            }
            try:
                answer = await self._http().post(endpoint.url, content=body, headers=headers)
            except httpx.HTTPError:
                return None
            return answer.status_code

    def _body(self, delivery: Delivery, *, endpoint: WebhookEndpoint) -> bytes:
        version = endpoint.api_version or self.account.settings.api_version
        waiting = sum(one.state == "pending" for one in self._by_event.get(delivery.event.id, ()))
        event = render_event(delivery.event, version=version, pending_webhooks=waiting)
        return json.dumps(event, separators=(",", ":")).encode()

    def _lane(self, endpoint: str) -> asyncio.Semaphore:
        width = self.account.settings.webhook_concurrency
        return self._lanes.setdefault(endpoint, asyncio.Semaphore(width))

    def _http(self) -> httpx.AsyncClient:
        if self._client is None:
            settings = self.account.settings
            limits = httpx.Limits(max_connections=None, max_keepalive_connections=64)
            self._client = httpx.AsyncClient(timeout=settings.webhook_timeout, limits=limits, trust_env=False)
        return self._client


def listens(endpoint: WebhookEndpoint, event: Event, *, default: str) -> bool:
    """Return whether the endpoint is enabled, wants this type, and has a version in which the object exists."""
    wanted = any(fnmatchcase(event.type, pattern) for pattern in endpoint.enabled_events)
    known = exists_in(event, version=endpoint.api_version or default)
    return wanted and known and endpoint.status == "enabled"
