"""Who cannot prove to be Stripe changes nothing, and no request makes a 500."""

import asyncio
import json
import secrets
import socket
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.starting.commands import run
from tests.integration.webhook_gateway.conftest import PATH, SECRET, Gateway, Start, new_event, published, signature
from tests.rounds import rounds

OLD = f"whsec_{secrets.token_hex(16)}"
MADE = secrets.token_hex(16)
PROBLEMS = "https://quittance.dev/problems/"


def slug(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["type"].removeprefix(PROBLEMS)


@pytest.mark.parametrize(
    ("secret", "age"),
    [("whsec_wrong1", 0), (SECRET, 301), (SECRET, -310), ("", 0), ("None", 0)],
    ids=["wrong", "stale", "future", "empty", "None"],
)
async def test_a_wrong_stale_or_future_signature_is_refused(
    gateway: Gateway, kafka_bootstrap: str, secret: str, age: int
) -> None:
    event_id, body = new_event()

    assert slug(await gateway.post(body, secret=secret, age=age)) == (403, "webhook-signature")
    assert await published(kafka_bootstrap, event_id) == []


@pytest.mark.parametrize("header", [None, "", "t=1", "v1=abc", "t=x,v1=y", "nonsense", "t=1,v0=abc", ",,,=", "é"])
async def test_a_missing_or_malformed_header_is_refused(gateway: Gateway, header: str | None) -> None:
    _, body = new_event()
    headers = {} if header is None else {b"stripe-signature": header.encode()}

    assert slug(await gateway.client.post(PATH, content=body, headers=headers)) == (403, "webhook-signature")


async def test_a_changed_body_is_refused(gateway: Gateway) -> None:
    _, body = new_event()
    signed = {"stripe-signature": signature(body)}

    assert (await gateway.client.post(PATH, content=body + b" ", headers=signed)).status_code == 403


async def test_a_refusal_of_a_protected_gateway_carries_what_every_answer_does(gateway: Gateway) -> None:
    answer = await gateway.client.post(PATH, content=b"{}")

    assert answer.status_code == 403
    assert answer.headers["strict-transport-security"].startswith("max-age=")
    assert (answer.headers["x-content-type-options"], answer.headers["cache-control"]) == ("nosniff", "no-store")


async def test_a_refusal_is_logged_with_its_reason_and_where_it_came_from(start: Start) -> None:
    async with start() as gateway:
        await gateway.client.post(PATH, content=b"{}", headers={"X-Forwarded-For": "203.0.113.7"})
        log = gateway.log()

    (line,) = [line for line in map(json.loads, log.splitlines()) if line["event"] == "webhook_outcome"]
    assert (line["outcome"], line["address"], line["forwarded_for"]) == (
        "signature-missing",
        "127.0.0.1",
        "203.0.113.7",
    )


async def test_several_secrets_are_valid_at_once(start: Start, kafka_bootstrap: str) -> None:
    async with start(STRIPE_WEBHOOK_SECRETS=f"{SECRET}, None", STRIPE_WEBHOOK_SECRET=OLD) as gateway:
        (new_id, new_body), (old_id, old_body) = new_event(), new_event()

        assert (await gateway.post(new_body, secret=SECRET)).status_code == 200
        assert (await gateway.post(old_body, secret=OLD)).status_code == 200
        assert (await gateway.post(old_body, secret="None")).status_code == 403
        assert len(await published(kafka_bootstrap, new_id, old_id)) == 2


@pytest.mark.parametrize(
    ("environment", "secret"),
    [
        ("production", ""),
        ("production", "   "),
        ("production", "None"),
        ("production", "whsec_...,,"),
        ("production", "whsec_dev_only_of_the_compose_file"),
        ("production", f"sk_live_{MADE}"),
        ("production", f"whsec_\u200b{MADE}"),
        ("production", f"\ufeffwhsec_{MADE}"),
        ("production", f"whsec_{MADE[:16]} {MADE[16:]}"),
        ("staging", ""),
        ("", ""),
        (None, ""),
    ],
    ids=["no", "blank", "None", "dots", "published", "key", "zero-width", "bom", "inner", "staging", "empty", "unset"],
)
async def test_without_a_secret_a_protected_deployment_refuses_everything_and_stays_up(
    start: Start, kafka_bootstrap: str, environment: str | None, secret: str
) -> None:
    """Saying nothing of itself is not being local, and what has another shape is no secret."""
    async with start(APP_ENV=environment, STRIPE_WEBHOOK_SECRETS=secret, STRIPE_LIVEMODE=None) as gateway:
        event_id, body = new_event()
        answers = [
            await gateway.post(body),
            await gateway.post(body, secret=""),
            await gateway.post(body, secret=secret),
            await gateway.client.post(PATH, content=body),
            await gateway.client.post(PATH, content=b"x" * 600_000),
            await gateway.client.get(PATH),
            await gateway.client.post("/webhooks/stripe-billing", content=b"{"),
        ]

        assert {(403, "webhook-secret-missing")} == {slug(answer) for answer in answers}
        assert "billing_webhook_secret_missing 1.0" in await gateway.metrics()
        assert "no_usable_webhook_secret" in gateway.log()
        assert '"level":"critical"' in gateway.log()
        assert (await gateway.ops.get("/livez")).status_code == 200
        ready = await gateway.ops.get("/readyz")
        assert (ready.status_code, list(ready.json()["reasons"])) == (503, ["secrets"])
        assert "STRIPE_WEBHOOK_SECRETS" in ready.json()["reasons"]["secrets"]
        assert gateway.process.running
        assert await published(kafka_bootstrap, event_id) == []
        assert MADE not in gateway.log()
        assert "whsec_dev" not in gateway.log()


async def test_what_is_no_secret_beside_one_is_said_and_does_not_count(start: Start) -> None:
    async with start(STRIPE_WEBHOOK_SECRETS=f"{SECRET},sk_live_{MADE}") as gateway:
        _, body = new_event()

        assert (await gateway.post(body, secret=f"sk_live_{MADE}")).status_code == 403
        assert (await gateway.post(body)).status_code == 200
        assert "billing_webhook_secret_missing 0.0" in await gateway.metrics()
        assert "billing_webhook_secrets_refused 1.0" in await gateway.metrics()
        [line] = [line for line in gateway.log().splitlines() if "webhook_secret_refused" in line]
        assert '"number":2' in line
        assert "does not begin with whsec_" in line
        assert MADE not in gateway.log()


@pytest.mark.parametrize(("ours", "theirs"), [("false", True), ("true", False)])
async def test_an_event_of_the_other_mode_is_dropped_aloud(
    start: Start, kafka_bootstrap: str, ours: str, theirs: bool
) -> None:
    """Stripe heard 200 and never sends it again; the process stays ready, for no other one would do better."""
    async with start(STRIPE_LIVEMODE=ours) as gateway:
        before = await gateway.ops.get("/readyz")
        events = [new_event(livemode=theirs) for _ in range(3)]
        assert {200} == {(await gateway.post(body)).status_code for _, body in events}
        after = await gateway.ops.get("/readyz")

        assert (before.status_code, before.json()["checks"]["mode"]) == (200, "ok")
        assert (after.status_code, after.json()["checks"]["mode"]) == (200, "failed")
        assert "billing_webhooks_wrong_mode_total 3.0" in await gateway.metrics()
        for event_id, _ in events:
            [line] = [line for line in gateway.log().splitlines() if event_id in line]
            assert '"level":"error"' in line
        assert await published(kafka_bootstrap, *[event_id for event_id, _ in events]) == []


async def test_the_doctor_lists_what_was_dropped(start: Start, kafka_bootstrap: str) -> None:
    async with start(STRIPE_ACCOUNT_ID="acct_ours") as gateway:
        for changes in ({"livemode": True}, {"account": "acct_theirs"}):
            assert (await gateway.post(new_event(**changes)[1])).status_code == 200
        ready = await gateway.ops.get("/readyz")
        given_settings = {
            "STRIPE_WEBHOOK_SECRETS": SECRET,
            "STRIPE_LIVEMODE": "false",
            "OPS_PORT": str(gateway.ops.base_url.port),
        }
        ended = await run(
            "webhook_gateway", "doctor", given_settings={**given_settings, "KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap}
        )

    assert (ready.status_code, ready.json()["checks"]["account"]) == (200, "failed")
    assert ended.status == 0, ended.output
    assert "webhook-gateway: events of Stripe's other mode were answered with 200 and dropped" in ended.output
    assert "webhook-gateway: events of another account were answered with 200 and dropped" in ended.output


async def test_on_a_developers_machine_unsigned_events_are_taken_with_a_warning(
    start: Start, kafka_bootstrap: str
) -> None:
    async with start(APP_ENV="local", STRIPE_WEBHOOK_SECRETS="") as gateway:
        event_id, body = new_event()

        assert (await gateway.client.post(PATH, content=body)).status_code == 200
        assert len(await published(kafka_bootstrap, event_id)) == 1
        assert "unsigned_webhooks_accepted" in gateway.log()


@pytest.mark.parametrize("environment", ["local", "testing"])
async def test_a_configured_secret_is_enforced_on_a_developers_machine_too(start: Start, environment: str) -> None:
    async with start(APP_ENV=environment) as gateway:
        _, body = new_event()

        assert (await gateway.client.post(PATH, content=body)).status_code == 403
        assert (await gateway.post(body)).status_code == 200


async def test_a_body_over_the_limit_is_413_declared_or_not(gateway: Gateway) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield b"x" * 60_000

    assert slug(await gateway.post(b"x" * 600_000)) == (413, "body-too-large")
    assert slug(await gateway.client.post(PATH, content=chunks())) == (413, "body-too-large")
    assert (await gateway.client.post(PATH, content=b"x" * 524_288)).status_code == 403


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", "malformed-json"),
        (b"{", "malformed-json"),
        (b"\xff\xfe\x00", "malformed-json"),
        (b"[" * 200_000, "malformed-json"),
        (b"[]", "malformed-event"),
        (b"null", "malformed-event"),
        (b'{"object": "event"}', "malformed-event"),
    ],
)
async def test_a_signed_body_that_is_no_event_is_400(gateway: Gateway, body: bytes, expected: str) -> None:
    assert (400, expected) == slug(await gateway.post(body))


@pytest.mark.parametrize("name", ["stripe-signature", "x-other"])
async def test_a_header_of_100_kilobytes_is_no_500(gateway: Gateway, name: str) -> None:
    try:
        answer = await gateway.client.post(PATH, content=b"{}", headers={name: "t=1,v1=" + "a" * 100_000})
    except httpx.TransportError:
        return
    assert answer.status_code in {400, 403, 431}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
async def test_another_method_is_405(gateway: Gateway, method: str) -> None:
    answer = await gateway.client.request(method, PATH)

    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_a_sender_that_stops_halfway_holds_up_nobody(gateway: Gateway) -> None:
    url = urlsplit(str(gateway.client.base_url))
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    writer.write(b"POST /billing/webhook HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{")
    await writer.drain()
    _, body = new_event()

    assert (await gateway.post(body)).status_code == 200
    head = await asyncio.wait_for(reader.read(100), 15)
    assert b" 408 " in head
    writer.close()


junk_headers = st.one_of(
    st.text(max_size=60), st.binary(max_size=60).map(lambda raw: raw.decode("latin-1")), st.just("t=1,v1=a" * 50)
)


@settings(
    max_examples=rounds(40, every=150),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(body=st.binary(max_size=300), header=junk_headers, sign=st.booleans(), event=st.booleans())
def test_no_header_and_no_body_makes_a_500(
    gateway_port: tuple[str, int], body: bytes, header: str, sign: bool, event: bool
) -> None:
    content = new_event()[1][: len(body) * 20] + body if event else body
    value = signature(content) if sign else header
    clean = value.encode("latin-1", "replace").replace(b"\r", b"").replace(b"\n", b"").replace(b"\x00", b"")
    head = b"POST /billing/webhook HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: %d\r\nstripe-signature: "
    with socket.create_connection(gateway_port, timeout=15) as connection:
        connection.sendall(head % len(content) + clean + b"\r\n\r\n" + content)
        status = int(connection.recv(100).split(b" ")[1])

    assert status in ({400} if sign else {400, 403})


@pytest.fixture
def gateway_port(gateway: Gateway) -> tuple[str, int]:
    """Return the port for a plain socket, which says what no client library would."""
    url = urlsplit(str(gateway.client.base_url))
    assert url.hostname
    assert url.port
    return url.hostname, url.port
