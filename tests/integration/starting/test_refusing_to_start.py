"""A protected process with a dangerous setting does not serve: it says what to set, and ends."""

import asyncio
import secrets
from pathlib import Path
from typing import Any, Final

import pytest

from tests.integration.starting.commands import checks_of, run, serving
from tests.stack.postgres import NewDatabase, Template

MADE: Final = secrets.token_hex(16)
NOBODY: Final = "postgresql://nobody@127.0.0.1:9/nowhere"
SOUND: Final = {
    "APP_ENV": "production",
    "DATABASE_URL": NOBODY,
    "JWT_ISSUER": "https://issuer.example",
    "JWT_AUDIENCE": "quittance",
    "JWKS_URL": "https://issuer.example/jwks.json",
    "SUPPORT_EMAIL": "help@quittance.example",
    "STRIPE_SECRET_KEY": f"sk_test_{MADE}",
    "STRIPE_LIVEMODE": "false",
    "STRIPE_WEBHOOK_SECRETS": f"whsec_{MADE}",
    "MAIL_FROM": "billing@quittance.example",
    "TEAM_NOTIFY_EMAIL": "team@quittance.example",
}
API: Final = ("purchases", "api")
WORKER: Final = ("purchases", "worker")
CATALOG: Final = ("catalog", "serve")
GATEWAY: Final = ("webhook_gateway", "serve")
NOTIFIER: Final = ("notifier",)

CASES: Final[list[tuple[tuple[str, ...], dict[str, str], str]]] = [
    (API, {"STRIPE_LIVEMODE": ""}, "STRIPE_LIVEMODE"),
    (API, {"STRIPE_LIVEMODE": "true"}, "STRIPE_LIVEMODE"),
    (API, {"STRIPE_LIVEMODE": "perhaps"}, "STRIPE_LIVEMODE"),
    (API, {"STRIPE_SECRET_KEY": f"rk_live_{MADE}"}, "STRIPE_LIVEMODE"),
    (API, {"STRIPE_SECRET_KEY": "sk_test_quittance_sandbox"}, "STRIPE_SECRET_KEY"),
    (API, {"STRIPE_API_BASE": "http://stripe.internal"}, "STRIPE_API_BASE"),
    (API, {"JWKS_URL": "http://issuer.example/jwks.json"}, "JWKS_URL"),
    (API, {"JWT_ISSUER": "http://issuer.example", "APP_ENV": ""}, "JWT_ISSUER"),
    (API, {"OIDC_ISSUER_URL": "https://issuer.example", "OIDC_CLIENT_ID": "pages"}, "SESSION_SECRET"),
    (WORKER, {"STRIPE_SECRET_KEY": ""}, "STRIPE_SECRET_KEY"),
    (WORKER, {"STRIPE_LIVEMODE": ""}, "STRIPE_LIVEMODE"),
    (WORKER, {"DATABASE_URL": ""}, "DATABASE_URL"),
    (CATALOG, {"JWKS_URL": "http://issuer.example/jwks.json"}, "JWKS_URL"),
    (CATALOG, {"SUPPORT_EMAIL": ""}, "SUPPORT_EMAIL"),
    (NOTIFIER, {"DATABASE_URL": "postgresql://notifier:dev-only-notifier@db/notifier"}, "DATABASE_URL"),
    (NOTIFIER, {"MAIL_FROM": ""}, "MAIL_FROM"),
    (NOTIFIER, {"JWT_AUDIENCE": ""}, "JWT_AUDIENCE"),
    (NOTIFIER, {"JWKS_URL": "http://issuer.example/jwks.json"}, "JWKS_URL"),
    (GATEWAY, {"STRIPE_LIVEMODE": ""}, "STRIPE_LIVEMODE"),
]


NAMES: Final = [f"{process[-1]}-{number}-{named}" for number, (process, _, named) in enumerate(CASES)]


@pytest.mark.parametrize(("process", "wrong", "named"), CASES, ids=NAMES)
async def test_it_says_what_to_set_and_ends(process: tuple[str, ...], wrong: dict[str, str], named: str) -> None:
    ended = await run(*process, given_settings=SOUND | wrong)

    assert ended.status == 1, ended.output
    assert [line for line in ended.output.splitlines() if line.startswith(f"{named}")], ended.output
    assert "Traceback" not in ended.output
    assert MADE not in ended.output


@pytest.mark.parametrize(
    ("service", "wrong", "named"),
    [
        ("purchases", {"STRIPE_LIVEMODE": ""}, ["purchases-api: STRIPE_", "purchases-worker: STRIPE_"]),
        ("catalog", {"JWKS_URL": "http://issuer.example"}, ["catalog: JWKS_URL"]),
        ("notifier", {"SMTP_URL": "mail.example"}, ["notifier: SMTP_URL"]),
        ("webhook_gateway", {"STRIPE_WEBHOOK_SECRETS": f"sk_live_{MADE}"}, ["webhook-gateway: STRIPE_WEBHOOK_SECRETS"]),
        ("webhook_gateway", {"STRIPE_WEBHOOK_SECRETS": ""}, ["webhook-gateway: STRIPE_WEBHOOK_SECRETS"]),
    ],
    ids=["purchases", "catalog", "notifier", "a key", "nothing"],
)
async def test_the_doctor_says_the_same(service: str, wrong: dict[str, str], named: list[str]) -> None:
    ended = await run(service, "doctor", given_settings=SOUND | wrong)

    assert ended.status == 1, ended.output
    said = [line for line in ended.output.splitlines() if line.startswith(tuple(named))]
    assert len(said) == len(named), ended.output
    assert MADE not in ended.output


async def test_a_secret_in_a_file_that_is_no_text_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "stripe_secret_key").write_bytes(f"sk_test_{MADE}".encode("utf-16"))
    given_settings = {name: value for name, value in SOUND.items() if name != "STRIPE_SECRET_KEY"}

    ended = await run(*WORKER, given_settings=given_settings | {"SECRETS_DIR": str(tmp_path)})

    assert ended.status == 1, ended.output
    assert "STRIPE_SECRET_KEY cannot be read" in ended.output
    assert "Traceback" not in ended.output


async def test_each_process_asks_only_for_what_it_uses() -> None:
    """A worker verifies no tokens, and only the API of purchases signs people in."""
    given_settings = {name: SOUND[name] for name in ("DATABASE_URL", "STRIPE_SECRET_KEY", "STRIPE_LIVEMODE")}

    ended = await run(
        "purchases", "doctor", "worker", given_settings=given_settings | {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9"}
    )

    assert ended.status == 3, ended.output
    assert "purchases-worker: not ready: database, migrations, broker, topics" in ended.output


async def test_what_only_works_on_the_database_refuses_nothing(database_url: NewDatabase) -> None:
    wrong: dict[str, Any] = {"OIDC_ISSUER_URL": "http://issuer.example", "STRIPE_API_BASE": "http://stripe.example"}
    for service, commands in (("purchases", ["migrate"]), ("catalog", ["migrate", "seed"]), ("notifier", ["migrate"])):
        given_settings = {"DATABASE_URL": await database_url(), **wrong}
        for command in commands:
            ended = await run(service, command, given_settings=given_settings)
            assert ended.status == 0, ended.output


async def test_a_sound_protected_process_serves(
    database_url: NewDatabase, template: Template, kafka_bootstrap: str
) -> None:
    from purchases.main import MIGRATIONS

    given_settings = SOUND | {"DATABASE_URL": await database_url(like=await template(MIGRATIONS))}
    # What is on this machine, or named, may be plain.
    given_settings |= {"STRIPE_API_BASE": "http://127.0.0.1:9"}
    given_settings |= {"JWKS_URL": "http://mesh.internal/", "PLAINTEXT_HOSTS": "mesh.internal"}
    given_settings |= {"KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap}
    async with serving(*API, given_settings=given_settings) as operator:
        async with asyncio.timeout(30):
            while (seen := await checks_of(operator))[0] != 200:  # noqa: ASYNC110 - the condition is in another process
                await asyncio.sleep(0.1)

    assert seen[1] == dict.fromkeys(("database", "migrations", "broker", "topics", "sessions"), "ok")
