"""The API under `/v1` as one ASGI callable: key, version, parameters, idempotency, operation, answer."""

import asyncio
import base64
import binascii
import json
import logging
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sandbox.stripe.account import Account
from sandbox.stripe.call import Call, owner_of
from sandbox.stripe.expansion import expand
from sandbox.stripe.faults import Fault, Faults, Rule
from sandbox.stripe.forms import BadFormError, Form, parse_form
from sandbox.stripe.idempotency import Answer, Keys
from sandbox.stripe.ids import new_id
from sandbox.stripe.known.operation import Operation
from sandbox.stripe.model import Json
from sandbox.stripe.params import Params
from sandbox.stripe.refusals import (
    Refusal,
    broken,
    forbidden,
    key_reused,
    parameter_invalid,
    rate_limited,
    unauthenticated,
    unrecognised_url,
)
from sandbox.stripe.render import render
from sandbox.stripe.requests_file import RequestsFile, requests_file
from sandbox.stripe.routing import find_operation
from sandbox.stripe.versions import is_version

KEYS: Final = ("sk_test_", "rk_test_")
NAMING: Final = ("customer", "invoice", "subscription", "payment_intent", "charge", "payment_method")
"""Parameters that name an object of a customer."""


class Unanswered(Exception):  # noqa: N818 - what the client sees, not a fault of ours
    """No answer: after `seconds`, or never, with the connection broken."""

    def __init__(self, *, seconds: float | None) -> None:
        super().__init__(seconds)
        self.seconds = seconds


@dataclass(slots=True, kw_only=True)
class Request:
    """What arrived, and what is known of it so far."""

    method: str
    path: str
    headers: Mapping[str, str]
    query: str
    body: str
    id: str = field(default_factory=lambda: new_id(prefix="req"))
    version: str
    operation: str = ""

    @property
    def key(self) -> str | None:
        """The idempotency key, which Stripe heeds on POST only."""
        return self.headers.get("idempotency-key") if self.method == "POST" else None


@dataclass(slots=True, kw_only=True)
class Api:
    """Answers requests. `log` keeps the last ones, for tests that count calls; `file` those that it took."""

    account: Account
    faults: Faults = field(default_factory=Faults)
    keys: Keys = field(default_factory=Keys)
    log: deque[Json] = field(default_factory=lambda: deque(maxlen=10_000))
    file: RequestsFile | None = field(default_factory=requests_file)

    async def answer(self, request: Request) -> tuple[Answer, dict[str, str]]:
        """Return the answer and its extra headers. Raises Unanswered."""
        try:
            _authenticate(request.headers)
            return await self._routed(request)
        except Refusal as refusal:
            return _refused(request, refusal), {}

    async def _routed(self, request: Request) -> tuple[Answer, dict[str, str]]:
        found = find_operation(method=request.method, path=request.path)
        if found is None:
            raise unrecognised_url(method=request.method, path=request.path)
        operation, ids = found
        request.operation = operation.name
        if not is_version(request.version):
            raise Refusal(f"Invalid Stripe API version: {request.version}", executed=False)
        params = _params_of(request, path=ids)
        params.refuse_unknown(operation.accepts)
        rule = self.faults.hit(operation.name)
        await _stop_at_the_door(rule, request)
        return await self._once(request, operation=operation, params=params, rule=rule)

    async def _once(
        self, request: Request, *, operation: Operation, params: Params, rule: Rule | None
    ) -> tuple[Answer, dict[str, str]]:
        key = request.key
        if key is None:
            answer, _ = await self._carry_out(request, operation=operation, params=params, rule=rule)
            return await _on_the_way_back(answer, rule=rule), {}
        kept = self.keys.begin(key=key, fingerprint=_fingerprint(request))
        if kept:
            return kept, {"Idempotent-Replayed": "true", "Original-Request": kept.request_id}
        answer, to_keep = await self._carry_out(request, operation=operation, params=params, rule=rule)
        if to_keep:
            self.keys.keep(key=key, answer=to_keep)
        else:
            self.keys.release(key)
        return await _on_the_way_back(answer, rule=rule), {"Original-Request": request.id}

    async def _carry_out(
        self, request: Request, *, operation: Operation, params: Params, rule: Rule | None
    ) -> tuple[Answer, Answer | None]:
        """Return the answer to send, and the one to keep under the key (none: the request never began)."""
        if rule and rule.fault is Fault.LATENCY:
            await asyncio.sleep(rule.seconds)
        if rule and rule.fault is Fault.ERROR_BEFORE:
            spoiled = _spoiled(request, rule)
            return spoiled, spoiled if rule.stored else None
        answer, executed = self._act(request, operation=operation, params=params)
        if rule and rule.fault is Fault.ERROR_AFTER:
            spoiled = _spoiled(request, rule)
            return spoiled, spoiled if rule.stored else answer
        return answer, answer if executed else None

    def _act(self, request: Request, *, operation: Operation, params: Params) -> tuple[Answer, bool]:
        call = Call(
            account=self.account,
            version=request.version,
            params=params,
            request_id=request.id,
            idempotency_key=request.key,
            customer=whose(self.account, params),
        )
        try:
            done = operation.act(call)
            shown = done if isinstance(done, dict) else render(done, version=call.version)
            body = expand(call=call, body=shown, paths=params.texts("expand"))
        except Refusal as refusal:
            return _refused(request, refusal), refusal.executed
        except Exception:
            logging.getLogger(__name__).exception("the sandbox itself failed on %s", operation.name)
            return _refused(request, broken()), False
        return Answer(status=200, body=_encode(body), request_id=request.id), True


async def _stop_at_the_door(rule: Rule | None, request: Request) -> None:
    """Raise the faults that meet a request before its key is taken."""
    if rule is None:
        return
    if rule.fault is Fault.FORBIDDEN:
        raise forbidden(right=_right_for(request))
    if rule.fault is Fault.OTHER_PARAMETERS:
        raise key_reused(key=request.key or "")
    if rule.fault is Fault.REFUSED:
        raise Refusal(rule.message, code=rule.code, param=rule.param, executed=False)
    if rule.fault is Fault.RATE_LIMIT:
        raise rate_limited()
    if rule.fault is Fault.HANG_BEFORE:
        raise Unanswered(seconds=rule.seconds)
    if rule.fault is Fault.CLOSE_BEFORE:
        raise Unanswered(seconds=None)


def _right_for(request: Request) -> str:
    """As Stripe calls it: `rak_invoice_read`, `rak_customer_write`."""
    resource = request.operation.partition(".")[0].removesuffix("s")
    return f"rak_{resource}_{'read' if request.method == 'GET' else 'write'}"


async def _on_the_way_back(answer: Answer, *, rule: Rule | None) -> Answer:
    if rule and rule.fault is Fault.LATE:
        await asyncio.sleep(rule.seconds)
    if rule and rule.fault is Fault.HANG_AFTER:
        raise Unanswered(seconds=rule.seconds)
    if rule and rule.fault is Fault.CLOSE_AFTER:
        raise Unanswered(seconds=None)
    return answer


def whose(account: Account, params: Params) -> str | None:
    """Return the customer by whose clock a request runs, where any customer has one of his own."""
    if not account.clock.customers:
        return None
    ids = [*params.path.values(), *(params.form.get(name) for name in NAMING)]
    owners = (owner_of(account.look_up(id_)) for id_ in ids if isinstance(id_, str))
    return next((owner for owner in owners if owner), None)


def _authenticate(headers: Mapping[str, str]) -> None:
    """Require a bearer token, or the user name of basic authentication, that looks like a test key."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    key = _basic_user(given) if scheme.lower() == "basic" else given.strip()
    if not key.startswith(KEYS):
        raise unauthenticated(key=key or None)


def _basic_user(given: str) -> str:
    try:
        return base64.b64decode(given).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _params_of(request: Request, *, path: dict[str, str]) -> Params:
    raw = "&".join(part for part in (request.query, request.body) if part)
    try:
        form: Form = parse_form(raw)
    except BadFormError as error:
        raise parameter_invalid(str(error), param="") from error
    return Params(form=form, path=path)


def _fingerprint(request: Request) -> str:
    return f"{request.method} {request.path}?{request.query}\n{request.body}"


def _refused(request: Request, refusal: Refusal) -> Answer:
    error = refusal.error | {"request_log_url": f"https://dashboard.stripe.com/test/logs/{request.id}"}
    return Answer(status=refusal.status, body=_encode({"error": error}), request_id=request.id)


def _spoiled(request: Request, rule: Rule) -> Answer:
    answer = _refused(request, broken(status=rule.status))
    answer.should_retry = not (rule.stored and request.key)
    return answer


def _encode(body: Any) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()
