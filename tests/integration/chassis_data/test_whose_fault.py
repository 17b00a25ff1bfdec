"""Whose fault an error is, asked of a real server; and what follows: the record's alone is set aside."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from structlog.testing import capture_logs

from chassis.database.database import Database, plain_connection
from chassis.outbox.fates import is_outage
from chassis.process import metrics
from chassis.process.faults import Fault, fault_of
from chassis.process.health import Health, ops_app
from chassis.process.settings import ServiceSettings
from chassis.web.server import HttpServer
from chassis.web.web import web_app
from tests.integration.chassis_data.any_bytes import any_producer
from tests.integration.chassis_data.test_any_bytes import TOPIC, sealed
from tests.integration.chassis_data.test_message_path import Path, _equals, addon_state, path, until

__all__ = ["path"]


async def error_of(work: Callable[[], Awaitable[Any]]) -> BaseException:
    try:
        await work()
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("select 1 / 0", Fault.RECORD),
        ("select cast('x' as uuid)", Fault.RECORD),
        ("insert into effects select id from (values (null::uuid)) as v (id)", Fault.RECORD),
        ("select * from no_such_table", Fault.DEPLOYMENT),
        ("select no_such_column from effects", Fault.DEPLOYMENT),
        ("select pg_read_file('/etc/passwd')", Fault.DEPLOYMENT),
        ("set local statement_timeout = 1; select pg_sleep(5)", Fault.CONTENTION),
        ("set transaction read only; insert into effects values (gen_random_uuid())", Fault.CONNECTION),
        ("select pg_terminate_backend(pg_backend_pid())", Fault.CONNECTION),
    ],
)
async def test_a_statement_that_fails_is_somebodys_fault(path: Path, statement: str, fault: Fault) -> None:
    async def run() -> None:
        async with path.database.transaction() as session:
            for part in statement.split("; "):
                await session.execute(text(part))

    assert fault_of(await error_of(run)) is fault


@pytest.mark.parametrize(
    ("cast", "value"),
    [("bigint", 2**70), ("bigint[]", [2**70]), ("text", "\ud800"), ("text", "a\x00b"), ("jsonb", "{")],
)
async def test_a_value_that_no_parameter_can_carry_is_the_records_fault(path: Path, cast: str, value: Any) -> None:
    """The driver raises for some of them, and the server for the others."""

    async def run() -> None:
        async with path.database.transaction() as session:
            await session.execute(text(f"select cast(:value as {cast})"), {"value": value})

    assert fault_of(await error_of(run)) is Fault.RECORD


async def test_what_a_driver_raises_outside_its_documented_tree_is_the_connections_fault() -> None:
    """As asyncpg does when its connection ends at a bad moment; a handler's own ValueError is the record's."""

    async def inside_asyncpg() -> None:
        await asyncpg.connect("postgresql://nobody@127.0.0.1:1/none", host=3)

    outside = await error_of(inside_asyncpg)

    assert not isinstance(outside, asyncpg.PostgresError | asyncpg.InterfaceError | OSError)
    assert fault_of(outside) is Fault.CONNECTION
    assert fault_of(asyncpg.InternalClientError("got result for unknown protocol state 3")) is Fault.CONNECTION
    assert fault_of(ValueError("of a handler")) is Fault.RECORD


@asynccontextmanager
async def read_only(database: Database) -> AsyncIterator[None]:
    """Its server is one that takes no writes, as after a failover; sessions that are open at the end stay so."""
    name = database.url.rpartition("/")[2]
    async with plain_connection(f"{database.url.rpartition('/')[0]}/postgres", name="failover") as connection:
        await connection.execute(f"alter database {name} set default_transaction_read_only = on")
        await end_sessions(connection, name)
        try:
            yield
        finally:
            await connection.execute(f"alter database {name} reset default_transaction_read_only")


async def end_sessions(connection: Any, name: str) -> None:
    """End those of clients: only a superuser may end an autovacuum worker, which is there now and then too."""
    clients = "datname = $1 and backend_type = 'client backend' and pid <> pg_backend_pid()"
    await connection.execute(f"select pg_terminate_backend(pid) from pg_stat_activity where {clients}", name)


async def test_a_read_only_server_parks_nothing_and_is_left_as_soon_as_there_is_another(path: Path) -> None:
    facts = [addon_state() for _ in range(5)]
    path.ids |= {fact.id for fact in facts}
    async with any_producer(path.settings.kafka_bootstrap_servers) as producer, path.running():
        await producer.send(TOPIC, sealed(facts[0]))
        await until(lambda: _equals(path.effects(), 1))
        with capture_logs() as lines:
            async with read_only(path.database):
                await producer.send(TOPIC, *map(sealed, facts[1:]))
                await until(lambda: backs_off(lines))
            await until(lambda: _equals(path.effects(), 5))

    assert await path.count("select count(*) from parked where fact_id is not null") == 0
    assert metrics.LOOP_BACKOFFS.labels("consumer", "connection")._value.get() > 0


async def backs_off(lines: list[Any]) -> bool:
    return any(line["event"] == "loop_backs_off" and line["loop"] == "consumer" for line in lines)


async def test_a_process_on_a_read_only_server_is_not_ready(path: Path) -> None:
    health = Health()
    health.check("database", path.database.ping)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=ops_app(health)), base_url="http://ops") as client:
        async with read_only(path.database):
            with pytest.raises(Exception):  # noqa: B017, PT011 - the session of before was ended
                await path.database.ping()
            unready = await client.get("/readyz")
        ready = await client.get("/readyz")

    assert (unready.status_code, unready.json()["checks"]) == (503, {"database": "failed"})
    assert ready.status_code == 200


async def test_what_the_database_cannot_do_now_is_a_503_and_the_next_request_is_served(path: Path) -> None:
    """Read-only, a session ended, a table that a rollout has not made yet: no fault of the caller's, and not final."""
    async with serving(path.database) as client:
        async with read_only(path.database):
            refused = [await client.post("/effects") for _ in range(3)]
        served = await client.post("/effects")
        missing = await client.post("/missing")

    assert [(answer.status_code, answer.headers.get("retry-after")) for answer in refused] == [(503, "1")] * 3
    assert served.status_code == 200
    assert (missing.status_code, missing.headers["retry-after"]) == (503, "1")


@asynccontextmanager
async def serving(database: Database, **options: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A service over real HTTP."""
    app = web_app("Quittance", ServiceSettings(app_env="testing"), passes=is_outage)

    @app.post("/effects")
    async def add() -> None:
        async with database.transaction() as session:
            await session.execute(text("insert into effects values (:id)"), {"id": uuid.uuid4()})

    @app.post("/missing")
    async def missing() -> None:
        async with database.transaction() as session:
            await session.execute(text("insert into not_there_yet values (1)"))

    @app.post("/slow")
    async def slow() -> None:
        async with database.transaction() as session:
            await session.execute(text("select pg_sleep(30)"))

    async with httpx.AsyncClient(timeout=20) as client, HttpServer(app, "127.0.0.1", 0, **options) as server:
        client.base_url = httpx.URL(f"http://127.0.0.1:{server.port}")
        yield client


async def test_a_statement_that_takes_too_long_is_a_503(path: Path) -> None:
    """asyncpg's command time-out is a bare TimeoutError."""
    async with Database(path.database.url, name="hasty", command_seconds=0.2) as hasty, serving(hasty) as client:
        answer = await client.post("/slow")

    assert (answer.status_code, answer.headers.get("retry-after")) == (503, "1")


async def test_a_request_that_is_cut_off_when_the_process_ends_is_a_503(path: Path) -> None:
    """The same Idempotency-Key then gives the answer."""
    sleeping = "select count(*) from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'"
    async with serving(path.database, graceful_seconds=1) as client:
        waiting = asyncio.create_task(client.post("/slow"))
        await until(lambda: _equals(path.count(sleeping), 1))
    answer = await waiting

    assert (answer.status_code, answer.headers.get("retry-after")) == (503, "1")


async def test_sessions_that_the_server_ends_at_any_moment_end_no_loop(path: Path) -> None:
    """Twenty times while facts flow: each is applied once, nothing is parked, and the process never ends."""
    name = path.database.url.rpartition("/")[2]
    facts = [addon_state() for _ in range(200)]
    other = f"{path.database.url.rpartition('/')[0]}/postgres"
    async with plain_connection(other, name="ender") as connection, path.running():
        for start in range(0, len(facts), 10):
            while await failed(path.given_published(*facts[start : start + 10])):
                pass
            await end_sessions(connection, name)
        await until(lambda: all_applied(path, len(facts)), seconds=60)

    assert await path.count("select count(*) from parked where fact_id is not null") == 0


async def all_applied(path: Path, count: int) -> bool:
    """Also where our own question met one of the ended sessions."""
    try:
        return await path.effects() == count
    except Exception:
        return False


async def failed(work: Awaitable[None]) -> bool:
    """Whether it must be done again: what is there already was done, only its answer was lost."""
    try:
        await work
    except IntegrityError:
        return False
    except Exception:
        return True
    return False
