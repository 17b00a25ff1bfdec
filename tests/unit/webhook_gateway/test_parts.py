"""The small parts of the hot path: deadlines, bounded bodies, counts, answers, the log of refusals, settings."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from pydantic import ValidationError
from structlog.testing import capture_logs

from chassis.kafka.broker_check import broker_is_reachable
from webhook_gateway.deadlines import Deadlines
from webhook_gateway.outcomes import Outcome
from webhook_gateway.settings import GatewaySettings
from webhook_gateway.webhook.answers import ANSWERS
from webhook_gateway.webhook.metrics import MOST_TYPES, WebhookMetrics
from webhook_gateway.webhook.refusal_log import RefusalLog
from webhook_gateway.webhook.request import DRAINED, LIMIT, BodyTooLarge, BodyTooSlow, Receive, SenderGone, read_body


async def test_a_block_that_is_too_late_gets_a_timeout_error() -> None:
    started = time.monotonic()
    with pytest.raises(TimeoutError), Deadlines().within(0.1):
        await asyncio.sleep(30)

    assert time.monotonic() - started < 2


async def test_a_block_in_time_is_left_alone() -> None:
    deadlines = Deadlines()
    with deadlines.within(0.2):
        await asyncio.sleep(0.01)

    await asyncio.sleep(0.6)


async def test_a_task_cancelled_by_others_stays_cancelled() -> None:
    async def waits() -> None:
        with Deadlines().within(0.1):
            await asyncio.sleep(30)

    task = asyncio.create_task(waits())
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_deadlines_of_many_tasks_are_kept_apart() -> None:
    deadlines = Deadlines()

    async def waits(seconds: float) -> str:
        try:
            with deadlines.within(0.3):
                await asyncio.sleep(seconds)
        except TimeoutError:
            return "late"
        return "in time"

    assert list(await asyncio.gather(waits(0.01), waits(9), waits(0.02))) == ["in time", "late", "in time"]


def receiving(*chunks: bytes, then: str = "http.disconnect") -> tuple[Receive, list[int]]:
    left = list(chunks)
    taken: list[int] = []

    async def receive() -> dict[str, Any]:
        if not left:
            return {"type": then}
        chunk = left.pop(0)
        taken.append(len(chunk))
        return {"type": "http.request", "body": chunk, "more_body": bool(left)}

    return receive, taken


async def test_a_body_is_joined_from_its_chunks() -> None:
    receive, _ = receiving(b"a", b"", b"b")

    assert await read_body(declared=0, receive=receive, deadlines=Deadlines()) == b"ab"


async def test_a_body_at_the_limit_is_taken() -> None:
    receive, _ = receiving(b"x" * LIMIT)

    assert len(await read_body(declared=LIMIT, receive=receive, deadlines=Deadlines())) == LIMIT


@pytest.mark.parametrize("chunks", [[b"x" * (LIMIT + 1)], [b"x" * LIMIT, b"x"], [b"x" * 65536] * 9])
@pytest.mark.parametrize("declared", [0, LIMIT + 1])
async def test_a_body_over_the_limit_is_refused(chunks: list[bytes], declared: int) -> None:
    receive, _ = receiving(*chunks)

    with pytest.raises(BodyTooLarge):
        await read_body(declared=declared, receive=receive, deadlines=Deadlines())


async def test_an_endless_body_is_not_read_to_its_end() -> None:
    receive, taken = receiving(*[b"x" * 65536] * 1000)

    with pytest.raises(BodyTooLarge):
        await read_body(declared=0, receive=receive, deadlines=Deadlines())

    assert sum(taken) <= LIMIT + DRAINED + 2 * 65536


async def test_a_body_declared_as_huge_is_not_read_at_all() -> None:
    receive, taken = receiving(b"x")

    with pytest.raises(BodyTooLarge):
        await read_body(declared=10**12, receive=receive, deadlines=Deadlines())

    assert taken == []


async def test_a_sender_that_hangs_up_is_gone() -> None:
    receive, _ = receiving()

    with pytest.raises(SenderGone):
        await read_body(declared=0, receive=receive, deadlines=Deadlines())


async def test_a_body_that_never_comes_is_too_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webhook_gateway.webhook.request.SECONDS", 0.1)

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(60)
        return {}

    with pytest.raises(BodyTooSlow):
        await read_body(declared=9, receive=receive, deadlines=Deadlines())


def exposed(metrics: WebhookMetrics) -> str:
    registry = CollectorRegistry()
    registry.register(metrics)
    return generate_latest(registry).decode()


def test_counts_become_prometheus_metrics() -> None:
    metrics = WebhookMetrics()
    metrics.count(event_type="invoice.paid", outcome=Outcome.PUBLISHED, seconds=0.0007)
    metrics.count(event_type="invoice.paid", outcome=Outcome.PUBLISHED, seconds=7)
    text = exposed(metrics)

    assert 'billing_webhooks_total{outcome="published",type="invoice.paid"} 2.0' in text
    assert 'billing_webhook_seconds_bucket{le="0.0005"} 0.0' in text
    assert 'billing_webhook_seconds_bucket{le="0.001"} 1.0' in text
    assert 'billing_webhook_seconds_bucket{le="+Inf"} 2.0' in text
    assert "billing_webhook_seconds_count 2.0" in text
    assert "billing_webhook_secret_missing 0.0" in text


def test_event_types_cannot_flood_the_metrics() -> None:
    metrics = WebhookMetrics()
    for number in range(MOST_TYPES + 50):
        metrics.count(event_type=f"type.{number}", outcome=Outcome.UNHANDLED, seconds=0.001)

    assert 'billing_webhooks_total{outcome="unhandled",type="other"} 50.0' in exposed(metrics)


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome is not Outcome.SENDER_GONE])
def test_every_outcome_has_its_answer(outcome: Outcome) -> None:
    answer = ANSWERS[outcome]
    headers = dict(answer.start["headers"])
    body = json.loads(answer.body["body"])

    assert str(len(answer.body["body"])).encode() == headers[b"content-length"]
    if answer.status != 200:
        assert headers[b"content-type"] == b"application/problem+json"
        assert answer.status == body["status"]
        assert body["type"].startswith("https://quittance.dev/problems/")


def test_a_flood_of_refusals_is_one_line_and_a_number() -> None:
    now = [0.0]
    log = RefusalLog(clock=lambda: now[0])
    with capture_logs() as lines:
        for _ in range(100):
            log.note(Outcome.SIGNATURE_MISMATCH, event_type="none")
        log.note(Outcome.PUBLISHED, event_type="invoice.paid")
        now[0] = 11.0
        log.note(Outcome.SIGNATURE_MISMATCH, event_type="none")

    assert [line["more"] for line in lines] == [0, 99]


def test_both_names_of_the_secret_count_together() -> None:
    settings = GatewaySettings(stripe_webhook_secrets="whsec_a1, ,whsec_b2", stripe_webhook_secret="whsec_c3")

    assert settings.given_secrets == ("whsec_a1", "whsec_b2", "whsec_c3")
    assert "whsec_a1" not in repr(settings)


def test_an_account_that_stripe_would_not_write_is_refused_at_the_start() -> None:
    assert GatewaySettings(stripe_account_id=" acct_1SVq2k ").stripe_account_id == "acct_1SVq2k"
    with pytest.raises(ValidationError, match="acct_"):
        GatewaySettings(stripe_account_id="1SVq2k")


def test_the_secret_may_be_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "stripe_webhook_secrets").write_text("whsec_from_file1,whsec_from_file2\n")
    monkeypatch.setenv("SECRETS_DIR", str(tmp_path))

    assert GatewaySettings().given_secrets == ("whsec_from_file1", "whsec_from_file2", "")


async def test_a_broker_that_takes_connections_is_reachable() -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        assert await broker_is_reachable(f"127.0.0.1:1, 127.0.0.1:{port}")
        assert not await broker_is_reachable("127.0.0.1:1")
        assert not await broker_is_reachable("nonsense")
    finally:
        server.close()
        await server.wait_closed()
