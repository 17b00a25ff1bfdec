"""The control API under `/_sandbox`: what a test does to Stripe itself; the world around it is in `outside_api`."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import fields, replace
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from sandbox.stripe.account import Settings
from sandbox.stripe.api import Api
from sandbox.stripe.control_http import as_endpoint, body_of
from sandbox.stripe.ids import new_id
from sandbox.stripe.ledger import sums
from sandbox.stripe.model import Json, WebhookEndpoint
from sandbox.stripe.refusals import Refusal
from sandbox.stripe.render import render, render_event
from sandbox.stripe.webhook_dispatcher import WebhookDispatcher


class Control:
    """One method for each path; its docstring is the reference."""

    def __init__(self, *, api: Api, webhook_dispatcher: WebhookDispatcher) -> None:
        self.api = api
        self.account = api.account
        self.webhook_dispatcher = webhook_dispatcher

    def routes(self) -> Sequence[Route]:
        """Return every path of the control API."""
        table: list[tuple[str, str, Callable[[Request], Awaitable[Any]]]] = [
            ("GET", "/health", self.health),
            ("POST", "/reset", self.reset),
            ("POST", "/settings", self.settings),
            ("POST", "/endpoints", self.register_endpoint),
            ("PATCH", "/endpoints/{id}", self.change_endpoint),
            ("POST", "/faults", self.add_fault),
            ("GET", "/faults", self.list_faults),
            ("DELETE", "/faults", self.reset_faults),
            ("POST", "/webhooks/rules", self.add_webhook_rule),
            ("GET", "/webhooks/rules", self.list_webhook_rules),
            ("DELETE", "/webhooks/rules", self.reset_webhook_rules),
            ("POST", "/webhooks/release", self.release),
            ("GET", "/webhooks/deliveries", self.deliveries),
            ("GET", "/events", self.events),
            ("POST", "/events/{id}/resend", self.resend),
            ("GET", "/quiet", self.quiet),
            ("GET", "/requests", self.requests),
            ("POST", "/idempotency/forget", self.forget_keys),
            ("GET", "/objects", self.objects),
            ("GET", "/sums", self.sums),
        ]
        return [Route(f"/_sandbox{path}", as_endpoint(act), methods=[method]) for method, path, act in table]

    async def health(self, _: Request) -> Json:
        """GET /_sandbox/health → {"status": "ok", "objects": {kind: how many}}."""
        counts = {kind: len(held) for kind, held in self.account.collections.items()}
        return {"status": "ok", "objects": counts}

    async def reset(self, _: Request) -> Json:
        """POST /_sandbox/reset: forget every object, key, rule, fault and request; settings stay."""
        self.webhook_dispatcher.clear()
        self.account.clear()
        self.api.keys.forget()
        self.api.faults.rules.clear()
        self.api.log.clear()
        return {}

    async def settings(self, request: Request) -> Json:
        """POST /_sandbox/settings {any field of Settings} → the settings now."""
        for name, value in (await body_of(request)).items():
            if name not in {field.name for field in fields(Settings)}:
                raise Refusal(f"No such setting: {name}")
            setattr(self.account.settings, name, tuple(value) if isinstance(value, list) else value)
        return {field.name: getattr(self.account.settings, field.name) for field in fields(Settings)}

    async def register_endpoint(self, request: Request) -> Json:
        """POST /_sandbox/endpoints → the endpoint with its secrets.

        {"url", "secrets"?: [made up], "api_version"?, "enabled_events"?: ["*"]}
        """
        wanted = await body_of(request)
        endpoint = WebhookEndpoint(
            id=new_id(prefix="we"),
            created=self.account.clock.now(),
            url=wanted["url"],
            secrets=tuple(wanted.get("secrets") or [new_id(prefix="whsec")]),
            enabled_events=tuple(wanted.get("enabled_events") or ["*"]),
            api_version=wanted.get("api_version"),
        )
        return self._shown(self.account.save(endpoint))

    async def change_endpoint(self, request: Request) -> Json:
        """PATCH /_sandbox/endpoints/{id} → the endpoint with its secrets.

        {"url"?, "secrets"?, "status"?: "enabled"|"disabled", "enabled_events"?, "api_version"?}
        """
        known = self.account.webhook_endpoints.get(request.path_params["id"])
        wanted = await body_of(request)
        changes: Json = {name: tuple(value) if isinstance(value, list) else value for name, value in wanted.items()}
        return self._shown(self.account.save(replace(known, **changes)))

    async def add_fault(self, request: Request) -> Json:
        """POST /_sandbox/faults → the rule (see faults.py).

        {"fault", "operation"?: "*", "times"?: 1, "skip"?: 0, "seconds"?: 60, "status"?: 500, "stored"?: true}
        """
        return self.api.faults.add(**await body_of(request)).as_json()

    async def list_faults(self, _: Request) -> Json:
        """GET /_sandbox/faults → {"data": [rule with its hits]}."""
        return {"data": [rule.as_json() for rule in self.api.faults.rules]}

    async def reset_faults(self, _: Request) -> Json:
        """DELETE /_sandbox/faults: all API faults end."""
        self.api.faults.rules.clear()
        return {}

    async def add_webhook_rule(self, request: Request) -> Json:
        """POST /_sandbox/webhooks/rules → the rule (see webhook_rules.py).

        {"mishap", "type"?: "*", "endpoint"?: "*", "times"?: null, "copies"?: 2, "seconds"?: 0.2, "order"?: []}
        """
        return self.webhook_dispatcher.rules.add(**await body_of(request)).as_json()

    async def list_webhook_rules(self, _: Request) -> Json:
        """GET /_sandbox/webhooks/rules → {"data": [rule with its hits]}."""
        return {"data": [rule.as_json() for rule in self.webhook_dispatcher.rules.rules]}

    async def reset_webhook_rules(self, _: Request) -> Json:
        """DELETE /_sandbox/webhooks/rules: all end; what is held stays held until released."""
        self.webhook_dispatcher.rules.rules.clear()
        return {}

    async def release(self, request: Request) -> Json:
        """POST /_sandbox/webhooks/release {"reverse"?: bool} → {"released": how many}."""
        return {"released": self.webhook_dispatcher.release(reverse=bool((await body_of(request)).get("reverse")))}

    async def deliveries(self, request: Request) -> Json:
        """GET /_sandbox/webhooks/deliveries?event=

        → {"data": [{event, type, endpoint, state, attempts, statuses}]}
        """
        event = request.query_params.get("event")
        found = self.webhook_dispatcher.of_event(event) if event else self.webhook_dispatcher.deliveries
        return {"data": [delivery.as_json() for delivery in found]}

    async def events(self, request: Request) -> Json:
        """GET /_sandbox/events?type=&version= → {"data": [every event, oldest first]}."""
        type_ = request.query_params.get("type")
        version = request.query_params.get("version") or self.account.settings.api_version
        found = [one for one in self.account.events.newest_first() if type_ in (None, one.type)]
        return {"data": [render_event(one, version=version) for one in reversed(found)]}

    async def resend(self, request: Request) -> Json:
        """POST /_sandbox/events/{id}/resend {"copies"?: 1, "endpoint"?: id} → {"sent": how many}.

        Past all rules; copies go in parallel.
        """
        wanted = await body_of(request)
        event = self.account.events.get(request.path_params["id"])
        copies = int(wanted.get("copies", 1))
        chosen = [
            one for one in self.account.webhook_endpoints.newest_first() if wanted.get("endpoint") in (None, one.id)
        ]
        for endpoint in chosen:
            self.webhook_dispatcher.resend(event=event, endpoint=endpoint, copies=copies)
        return {"sent": copies * len(chosen)}

    async def quiet(self, request: Request) -> Json:
        """GET /_sandbox/quiet?timeout=0 → {"quiet", "pending", "held"}.

        Waits up to `timeout` seconds until no delivery and no timer is under way.
        """
        is_quiet = await self.webhook_dispatcher.quiet(timeout=float(request.query_params.get("timeout", 0)))
        return {"quiet": is_quiet, "pending": self.webhook_dispatcher.pending(), "held": self.webhook_dispatcher.held()}

    async def requests(self, request: Request) -> Json:
        """GET /_sandbox/requests?operation= → {"data": [the API's last requests, oldest first]}."""
        wanted = request.query_params.get("operation")
        return {"data": [one for one in self.api.log if wanted in (None, one["operation"])]}

    async def forget_keys(self, request: Request) -> Json:
        """POST /_sandbox/idempotency/forget {"key"?}: one key, or all, as after 24 hours."""
        self.api.keys.forget((await body_of(request)).get("key"))
        return {}

    async def objects(self, request: Request) -> Json:
        """GET /_sandbox/objects?kind=&version= → {kind: [every object, oldest first]}, without events."""
        version = request.query_params.get("version") or self.account.settings.api_version
        kind = request.query_params.get("kind")
        return {
            name: [render(one, version=version) for one in reversed(list(held.newest_first()))]
            for name, held in self.account.collections.items()
            if name != "event" and kind in (None, name)
        }

    async def sums(self, _: Request) -> Json:
        """GET /_sandbox/sums → {"total": {currency: figures}, "customers": {id: {currency: figures}}, …}.

        Beside them "lost", "plans" and "credit". Figures: {captured, refunded} in minor units, {payments, refunds} as
        counts. Lost: {customer: {currency: minor units}} of disputes. Plans: {customer: {currency: {captured,
        refunded}}}, what of the figures paid for subscriptions' periods. Credit: {customer: {currency: {applied,
        given_back}}}, what their balances paid of invoices, and what we gave back to them.
        """
        return sums(self.account)

    def _shown(self, endpoint: WebhookEndpoint) -> Json:
        return render(endpoint, version=self.account.settings.api_version) | {"secrets": list(endpoint.secrets)}
