"""`python -m notifier`, killed where a power cut would hurt most, and started again."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from sandbox.ports import LOOPBACK, free_port
from tests.fixtures import mailable_facts as facts
from tests.integration.notifier.conftest import Office, until


def environment(office: Office, **more: str) -> dict[str, str]:
    settings = office.settings
    return {
        **os.environ,
        "APP_ENV": "testing",
        "DATABASE_URL": settings.database_url,
        "KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
        "KAFKA_SESSION_TIMEOUT_MS": "6000",
        "HTTP_PORT": str(free_port()),
        "JWT_ISSUER": "https://issuer.example",
        "JWT_AUDIENCE": "quittance",
        "JWKS_URL": "http://127.0.0.1:9/jwks.json",
        "SMTP_URL": settings.smtp_url.get_secret_value(),
        "SMTP_TIMEOUT_SECONDS": "1",
        "MAIL_FROM": settings.mail_from,
        "TEAM_NOTIFY_EMAIL": settings.team_notify_email,
        "SUPPORT_EMAIL": settings.support_email,
        "HTTP_HOST": LOOPBACK,
        "OPS_PORT": str(free_port()),
        **more,
    }


@asynccontextmanager
async def process(*arguments: str, env: dict[str, str]) -> AsyncIterator[Process]:
    """Provide the command as an operator starts it; ended by SIGTERM if it has not ended by itself."""
    running = await asyncio.create_subprocess_exec(sys.executable, "-m", "notifier", *arguments, env=env)
    try:
        yield running
    finally:
        if running.returncode is None:
            running.terminate()
        await running.wait()


async def test_killed_before_smtp_it_sends_one_mail_after_all(office: Office) -> None:
    fact = facts.paid()
    await office.given_queued(fact)
    async with process(env=environment(office, KILL_AT="notifier.before-smtp")) as first:
        assert await first.wait() == -signal.SIGKILL
    assert office.about(fact) == []

    async with process(env=environment(office)):
        await until(lambda: office.is_sent(fact))

    assert len(office.about(fact)) == 1


async def test_killed_between_the_servers_yes_and_our_commit_it_repeats_the_same_message(office: Office) -> None:
    """The one window in which a mail goes out twice: the same bytes, so the same Message-ID."""
    fact = facts.paid()
    await office.given_queued(fact)
    async with process(env=environment(office, KILL_AT="notifier.after-smtp")) as first:
        assert await first.wait() == -signal.SIGKILL
    assert len(office.about(fact)) == 1

    async with process(env=environment(office)):
        await until(lambda: office.is_sent(fact))

    copies = office.about(fact)
    assert len(copies) == 2
    assert copies[0].raw == copies[1].raw


async def is_ready(ops: httpx.AsyncClient) -> bool:
    """Return whether it is ready: once it knows whose sessions have ended, for which mails do not wait."""
    return (await ops.get("/readyz")).status_code == 200


async def test_it_migrates_serves_and_stops_on_sigterm(office: Office) -> None:
    env = environment(office)
    async with process("migrate", env=env) as migrating:
        assert await migrating.wait() == 0
    fact = facts.paid()
    async with process(env=env) as serving, httpx.AsyncClient(base_url=f"http://{LOOPBACK}:{env['OPS_PORT']}") as ops:
        await office.given_published(fact)
        await until(lambda: office.is_sent(fact))
        assert (await ops.get("/livez")).status_code == 200
        await until(lambda: is_ready(ops))
        assert 'billing_mails_total{letter="purchase-paid",outcome="sent"}' in (await ops.get("/metrics")).text
        serving.terminate()
        assert await serving.wait() == 0


async def test_a_command_ends_with_a_status(office: Office) -> None:
    async with process("resend", "no-such-key", env=environment(office)) as command:
        assert await command.wait() == 1
