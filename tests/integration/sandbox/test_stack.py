"""The stack as tests use it: one process can be killed, started with other settings, and read."""

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import httpx
import psutil  # type: ignore[import-untyped]
import pytest

from sandbox.ports import LOOPBACK
from sandbox.process import ProcessDied
from sandbox.processes import Service
from sandbox.stack import EmbeddedStack

STAND_IN = Service("stand-in", ("tests.integration.sandbox.answering",), None, 9199, None)


def a_stack(directory: Path, **extra_env: str) -> EmbeddedStack:
    return EmbeddedStack(
        services=(STAND_IN,),
        directory=directory,
        broker="librdkafka",
        without=("stripe",),
        extra_env=extra_env,
        forgetful=True,
    )


@pytest.fixture(scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedStack]:
    async with a_stack(tmp_path_factory.mktemp("stack"), FOR_ALL="yes") as stack:
        yield stack


async def environment_of(stack: EmbeddedStack) -> dict[str, str]:
    async with httpx.AsyncClient(trust_env=False) as client:
        settings: dict[str, str] = (await client.get(stack.operations_url("stand-in"))).json()
        return settings


async def test_a_service_knows_where_everything_is(stack: EmbeddedStack) -> None:
    settings = await environment_of(stack)

    described = stack.describe()
    assert settings["KAFKA_BOOTSTRAP_SERVERS"] == described.kafka_bootstrap_servers
    assert settings["STRIPE_API_BASE"] == described.stripe_url
    assert settings["STRIPE_WEBHOOK_SECRETS"] == ",".join(described.stripe_webhook_secrets)
    assert settings["JWT_ISSUER"] == described.issuer_url
    assert settings["FOR_ALL"] == "yes"


async def test_a_killed_service_is_started_again_on_its_port_with_other_settings(stack: EmbeddedStack) -> None:
    before = stack.processes["stand-in"].pid
    await stack.kill("stand-in")
    with pytest.raises(httpx.ConnectError):
        await environment_of(stack)

    await stack.start("stand-in", {"KILL_AT": "after-commit"})

    assert (await environment_of(stack))["KILL_AT"] == "after-commit"
    assert stack.processes["stand-in"].pid != before
    await stack.restart("stand-in")
    assert "KILL_AT" not in await environment_of(stack)


async def test_what_a_service_prints_is_kept_over_its_runs(stack: EmbeddedStack) -> None:
    runs = stack.logs("stand-in").count("answering")

    await stack.restart("stand-in")

    assert stack.logs("stand-in").count("answering") == runs + 1


async def test_a_service_that_dies_at_start_is_shown_with_its_name_and_its_last_words(tmp_path: Path) -> None:
    stack = a_stack(tmp_path, MUST_FAIL="1")

    with pytest.raises(ProcessDied, match=r"stand-in ended with exit code 1\n(.*\n)*stand-in \| cannot go on"):
        await stack.up()

    assert not any(process.running for process in stack.processes.values())


OWNER = """
import asyncio, sys
from pathlib import Path
from sandbox.stack import EmbeddedStack
async def main():
    stack = EmbeddedStack(services=(), directory=Path(sys.argv[1]), broker="librdkafka", without=["stripe"])
    async with stack:
        print(*(process.pid for process in stack.processes.values()), flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends the children of a killed process")
def test_a_killed_program_takes_its_stack_with_it(tmp_path: Path, how: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", OWNER, tmp_path], stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        children = [psutil.Process(int(pid)) for pid in running.stdout.readline().split()]
        os.kill(running.pid, how)

    _, alive = psutil.wait_procs(children, timeout=10)

    assert len(children) == 4
    assert [child.name() for child in alive] == []


async def test_the_broker_comes_back_with_its_records(stack: EmbeddedStack) -> None:
    address = stack.broker.bootstrap
    await stack.broker_down()
    async with httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(f"http://{LOOPBACK}:{address.rpartition(':')[2]}")

    await stack.broker_up()

    assert stack.broker.bootstrap == address


async def test_the_database_comes_back_with_its_data(stack: EmbeddedStack) -> None:
    url = stack.describe().database_urls["catalog"]
    connection = await asyncpg.connect(url)
    await connection.execute("create table kept as select 7 as number")
    await connection.close()
    await stack.database_down()
    with pytest.raises(OSError, match="Connect call failed"):
        await asyncpg.connect(url)

    await stack.database_up()

    connection = await asyncpg.connect(url)
    assert await connection.fetchval("select number from kept") == 7
    await connection.close()
