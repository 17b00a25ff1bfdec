"""The control API under `/_sandbox`: time, and what it does to subscriptions."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from sandbox.stripe.account import Account
from sandbox.stripe.call import outside
from sandbox.stripe.control_http import as_endpoint, body_of
from sandbox.stripe.invoice_model import Invoice
from sandbox.stripe.refusals import Refusal
from sandbox.stripe.render import render
from sandbox.stripe.subscriptions import agenda, pausing
from sandbox.stripe.subscriptions.model import Subscription
from sandbox.stripe.thing import Json


class Billing:
    """One method for each path; its docstring is the reference."""

    def __init__(self, account: Account) -> None:
        self.account = account

    def routes(self) -> Sequence[Route]:
        """Return every path of this part of the control API."""
        table: list[tuple[str, str, Callable[[Request], Awaitable[Any]]]] = [
            ("GET", "/clock", self.clock),
            ("POST", "/clock/advance", self.advance),
            ("POST", "/subscriptions/{id}/renew", self.renew),
            ("POST", "/subscriptions/{id}/retry", self.retry),
            ("POST", "/subscriptions/{id}/exhaust", self.exhaust),
            ("POST", "/subscriptions/{id}/pause", self.pause),
        ]
        return [Route(f"/_sandbox{path}", as_endpoint(act), methods=[method]) for method, path, act in table]

    async def clock(self, request: Request) -> Json:
        """GET /_sandbox/clock?customer= → {"now": Unix time by the customer's clock, or the account's}."""
        return {"now": self.account.clock.now(request.query_params.get("customer"))}

    async def advance(self, request: Request) -> Json:
        """POST /_sandbox/clock/advance {"customer"?: all, "seconds" or "to": Unix time} → {"now"}.

        Whatever falls due is done, in order. Time goes back only before anything has happened.
        """
        wanted = await body_of(request)
        customer = wanted.get("customer")
        if customer:
            self.account.customers.get(customer, param="customer")
        seconds = wanted["to"] - self.account.clock.now(customer) if "to" in wanted else wanted["seconds"]
        return {"now": self._pass(seconds, customer=customer)}

    async def renew(self, request: Request) -> Json:
        """POST /_sandbox/subscriptions/{id}/renew → the subscription.

        Its period is over, and the next one's draft collected, by the clock of its customer.
        """
        known = self._subscription(request)
        draft = self.account.settings.draft_seconds
        self._pass_until(known.period_end + draft, subscription=known)
        return self._shown(known)

    async def retry(self, request: Request) -> Json:
        """POST /_sandbox/subscriptions/{id}/retry → the subscription, its open invoice's next payment tried."""
        known = self._subscription(request)
        at = self._latest_invoice(known).next_payment_attempt
        if at is None:
            raise Refusal("No payment of this subscription's latest invoice is to be tried again.")
        self._pass_until(at, subscription=known)
        return self._shown(known)

    async def exhaust(self, request: Request) -> Json:
        """POST /_sandbox/subscriptions/{id}/exhaust → the subscription, after every retry of its open invoice."""
        known = self._subscription(request)
        invoice = self._latest_invoice(known).id
        while at := self.account.invoices.get(invoice).next_payment_attempt:
            self._pass_until(at, subscription=known)
        return self._shown(known)

    async def pause(self, request: Request) -> Json:
        """POST /_sandbox/subscriptions/{id}/pause → the subscription, `paused` as after a trial without a card."""
        known = self._subscription(request)
        if known.is_over:
            raise Refusal(f"This subscription is {known.status}.")
        pausing.pause(call=outside(self.account, known), subscription=known)
        return self._shown(known)

    def _pass(self, seconds: int, *, customer: str | None) -> int:
        if seconds < 0 and any(self.account.events.newest_first()):
            raise Refusal("Time never goes back once something has happened.", param="seconds")
        agenda.advance(account=self.account, customer=customer, seconds=seconds)
        return self.account.clock.now(customer)

    def _pass_until(self, moment: int, *, subscription: Subscription) -> None:
        now = self.account.clock.now(subscription.customer)
        self._pass(max(moment - now, 0), customer=subscription.customer)

    def _subscription(self, request: Request) -> Subscription:
        return self.account.subscriptions.get(request.path_params["id"])

    def _latest_invoice(self, subscription: Subscription) -> Invoice:
        return self.account.invoices.get(str(subscription.latest_invoice))

    def _shown(self, subscription: Subscription) -> Json:
        now = self.account.subscriptions.get(subscription.id)
        return render(now, version=self.account.settings.api_version)
