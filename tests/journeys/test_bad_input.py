"""Whatever is sent to the three HTTP services: a clear problem with a stable type, nothing changed, never a 500."""

import json
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx
import pytest

from sandbox.driver import Driver
from sandbox.shop import bearer
from sandbox.stripe.signing import signature_header
from tests.seen import everything, problem_of

Json = dict[str, Any]
JSON: Final = {"Content-Type": "application/json"}
LIMITS: Final[Mapping[str, int]] = {"catalog": 256 * 1024, "purchases": 256 * 1024, "gateway": 512 * 1024}


@dataclass(frozen=True, slots=True)
class Door:
    """Where a service takes a body, with everything in order but the body."""

    driver: Driver
    service: str
    url: str
    headers: Mapping[str, str]

    async def send(self, body: bytes, **headers: str) -> httpx.Response:
        """POST these bytes, signed where the service wants that."""
        signed = {"Stripe-Signature": signature(self.driver, body)} if self.service == "gateway" else {}
        return await self.driver.http.post(
            self.url, content=body, headers={**JSON, **self.headers, **signed, **headers}
        )


def signature(driver: Driver, body: bytes, *, age: int = 0) -> str:
    """As Stripe signs, `age` seconds ago."""
    return signature_header(body=body, secrets=driver.stack.stripe_webhook_secrets, timestamp=int(time.time()) - age)


@pytest.fixture(params=["catalog", "purchases", "gateway"])
async def door(driver: Driver, request: pytest.FixtureRequest) -> AsyncIterator[Door]:
    """One of the three; after the test nothing has changed behind any of them."""
    before = await everything(driver)
    yield await door_of(driver, request.param)
    assert await everything(driver) == before


async def door_of(driver: Driver, service: str) -> Door:
    stack = driver.stack
    if service == "catalog":
        staff = await driver.token(sub="staff-1", platform_role="super_admin")
        return Door(driver, service, f"{stack.catalog_url}/v1/admin/addons", bearer(staff))
    if service == "purchases":
        host = await driver.token(sub="user-1", workspaces={"ws-nobody": "owner"}, scope="workspaces:write")
        url = f"{stack.purchases_url}/v1/workspaces/ws-nobody/purchases"
        return Door(driver, service, url, bearer(host) | {"Idempotency-Key": uuid.uuid4().hex})
    return Door(driver, service, f"{stack.gateway_url}/billing/webhook", {})


async def test_malformed_json_is_named_so(door: Door) -> None:
    for body in (b"{", b'{"addon": }', b"\xff\xfe", b'{"a": 1} trailing'):
        answer = await door.send(body)
        assert (answer.status_code, problem_of(answer)) == (400, "malformed-json"), body


async def test_json_that_is_not_what_was_asked_for_is_a_clear_problem(door: Door) -> None:
    nasty = ["null", "[]", '"x"', "1", "{}", '{"id": "\\u0000"}', '{"id": "\\ud800", "object": "event", "type": 1}']
    for body in [*nasty, "[" * 50_000, "9" * 5_000, '{"addon": 1e999}', json.dumps({"x" * 5_000: None})]:
        answer = await door.send(body.encode())
        assert answer.status_code in {400, 404, 422}, (body[:80], answer.text)
        assert problem_of(answer)


async def test_a_body_over_the_limit_is_refused(door: Door) -> None:
    body = b'{"name": "' + b"x" * LIMITS[door.service] + b'"}'

    answer = await door.send(body)

    assert (answer.status_code, problem_of(answer)) == (413, "body-too-large")


async def test_a_body_over_the_limit_that_does_not_say_its_length_is_refused(door: Door) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(12):
            yield b"x" * 64 * 1024

    answer = await door.driver.http.post(door.url, content=endless(), headers={**JSON, **door.headers})

    assert (answer.status_code, problem_of(answer)) == (413, "body-too-large")


async def test_a_header_of_100_kb_is_refused(door: Door) -> None:
    answer = await door.send(b"{}", **{"X-Padding": "x" * 100_000})

    assert (answer.status_code, problem_of(answer)) == (431, "headers-too-large")


async def test_a_path_that_leads_nowhere_is_not_found(door: Door) -> None:
    for path in ("/", "/v1", "/v1/%00", "/v1/../../etc/passwd", "/v1/workspaces/%ff", "/" + "x" * 5_000):
        base = door.url.split("/", 3)
        answer = await door.driver.http.delete(f"http://{base[2]}{path}", headers=door.headers)
        assert answer.status_code in {404, 405}, (path, answer.text)
        assert problem_of(answer)


@pytest.fixture
async def unchanged(driver: Driver) -> AsyncIterator[Driver]:
    """The driver; after the test nothing has changed."""
    before = await everything(driver)
    yield driver
    assert await everything(driver) == before


EVENT: Final = {"id": "evt_1", "object": "event", "type": "invoice.paid", "data": {"object": {"id": "in_1"}}}


@pytest.mark.parametrize("path", ["/billing/webhook", "/webhooks/stripe-billing"])
async def test_an_event_that_is_not_proven_to_come_from_stripe_is_refused(unchanged: Driver, path: str) -> None:
    body = json.dumps(EVENT).encode()
    right = signature(unchanged, body)
    timestamp = right.split(",", maxsplit=1)[0]
    wrong = {
        "none": {},
        "empty": {"Stripe-Signature": ""},
        "malformed": {"Stripe-Signature": "v1"},
        "of another body": {"Stripe-Signature": signature(unchanged, body + b" ")},
        "of nobody": {"Stripe-Signature": f"{timestamp},v1={'0' * 64}"},
        "of an older scheme": {"Stripe-Signature": right.replace("v1=", "v0=")},
        "too old": {"Stripe-Signature": signature(unchanged, body, age=400)},
        "of the future": {"Stripe-Signature": signature(unchanged, body, age=-400)},
    }
    for name, headers in wrong.items():
        answer = await unchanged.http.post(unchanged.stack.gateway_url + path, content=body, headers=JSON | headers)
        assert (answer.status_code, problem_of(answer)) == (403, "webhook-signature"), name


async def test_the_signature_is_checked_before_anything_is_parsed(unchanged: Driver) -> None:
    answer = await unchanged.http.post(f"{unchanged.stack.gateway_url}/billing/webhook", content=b"{", headers=JSON)

    assert answer.status_code == 403


async def test_an_event_of_live_mode_is_taken_and_not_applied(unchanged: Driver) -> None:
    body = json.dumps(EVENT | {"livemode": True}).encode()

    answer = await (await door_of(unchanged, "gateway")).send(body)

    assert answer.status_code == 200


async def test_an_event_of_a_type_that_nobody_handles_is_taken_and_not_applied(unchanged: Driver) -> None:
    body = json.dumps(EVENT | {"type": "account.updated", "livemode": False}).encode()

    answer = await (await door_of(unchanged, "gateway")).send(body)

    assert answer.status_code == 200


async def test_another_methods_request_to_the_webhook_is_refused(unchanged: Driver) -> None:
    answer = await unchanged.http.get(f"{unchanged.stack.gateway_url}/billing/webhook")

    assert (answer.status_code, problem_of(answer)) == (405, "method-not-allowed")
