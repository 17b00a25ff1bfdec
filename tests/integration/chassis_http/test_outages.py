"""A request that meets an absent database."""

import httpx

from chassis.database.database import Database
from chassis.outbox.fates import is_outage
from chassis.process.settings import ServiceSettings
from chassis.web.web import web_app


async def test_an_absent_database_is_a_503_that_says_when_to_ask_again() -> None:
    """It is not the caller's fault, nor a bug: a client that waits a second does right."""
    app = web_app("Quittance", ServiceSettings(app_env="testing"), passes=is_outage)
    database = Database("postgresql://nobody@127.0.0.1:1/none", name="test")

    @app.get("/things")
    async def list_things() -> None:
        await database.ping()

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://quittance.test") as client:
        answer = await client.get("/things")

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["type"].endswith("/temporarily-unavailable")


async def test_a_bug_is_still_a_500() -> None:
    app = web_app("Quittance", ServiceSettings(app_env="testing"), passes=is_outage)

    @app.get("/things")
    async def list_things() -> None:
        raise FileNotFoundError("/etc/secret")

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://quittance.test") as client:
        answer = await client.get("/things")

    assert answer.status_code == 500
    assert "secret" not in answer.text
