"""What a lost PostgreSQL costs: commits that are gone, and seconds until writes are possible again.

`python -m tests.bench.restore` prints both, for a durable ledger that is killed under writes: restored from its base
backup and archived WAL after its disk was lost, or with `--standby` by promoting a synchronous standby.
"""

import argparse
import asyncio
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import asyncpg

from chassis.database.migrations import migrate
from purchases.main import MIGRATIONS
from sandbox.postgres import PostgresServer
from tests.bench.ledger import given_pending, put
from tests.bench.webhooks import Sale

WRITES_PER_SECOND: Final = 100


@dataclass
class Writes:
    """Purchases whose commit was confirmed, each with the time of its confirmation in seconds."""

    confirmed: dict[str, float] = field(default_factory=dict)

    async def go_on(self, url: str) -> None:
        """Write one purchase after another, until the server is gone."""
        connection = await asyncpg.connect(url)
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
            while True:
                sale = Sale()
                await put(connection, [sale])
                self.confirmed[str(sale.purchase_id)] = time.monotonic()
                await asyncio.sleep(1 / WRITES_PER_SECOND)


@dataclass(frozen=True, slots=True)
class Loss:
    """A server that is gone since `at`, and what it had confirmed before."""

    at: float
    confirmed: dict[str, float]

    def figures(self, kept: set[str]) -> dict[str, float]:
        """Return RPO and RTO in seconds, now that writes are possible and only `kept` purchases are there."""
        lost = [at for purchase, at in self.confirmed.items() if purchase not in kept]
        return {
            "confirmed": len(self.confirmed),
            "lost": len(lost),
            "RPO, s": self.at - min(lost, default=self.at),
            "RTO, s": time.monotonic() - self.at,
        }


async def measure_backup(directory: Path, *, rows: int, archive_seconds: int, seconds: float) -> dict[str, float]:
    """Write, back up, go on writing, lose the disk, restore; return what was lost and how long each part took."""
    server = PostgresServer(log=directory / "postgres.log")
    try:
        await server.start()
        archive = server.directory / "archive"
        await _archive_to(server, archive, every=archive_seconds)
        url = await _filled(server, rows)
        started = time.monotonic()
        base = await _base_backup(server, server.directory / "base", "-X", "fetch")
        backed_up = time.monotonic() - started
        loss = await _lose_under_writes(server, url, seconds)
        _restore(server, base, archive)
        await server.start()
        await _until_writable(server.admin_url)
        figures = loss.figures(await _stored(url))
        return {"rows": rows, "base backup, MB": _megabytes(base), "base backup, s": backed_up, **figures}
    finally:
        await server.stop()


async def measure_standby(directory: Path, *, rows: int, seconds: float) -> dict[str, float]:
    """Write to a primary whose commits wait for a standby, kill it, promote the standby; return what was lost."""
    primary = PostgresServer(log=directory / "primary.log")
    standby = PostgresServer(log=directory / "standby.log")
    try:
        await primary.start()
        url = await _filled(primary, rows)
        copy = await _base_backup(primary, standby.directory / "data", "-X", "stream", "-R")
        copy.chmod(0o700)
        standby.process.start()
        await _admin(
            primary, "alter system set synchronous_standby_names = 'ANY 1 (standby)'", "select pg_reload_conf()"
        )
        await _until_synchronous(primary)
        loss = await _lose_under_writes(primary, url, seconds)
        admin, now = (each.replace(f":{primary.port}/", f":{standby.port}/") for each in (primary.admin_url, url))
        connection = await asyncpg.connect(admin)
        await connection.fetchval("select pg_promote(true, 60)")
        await connection.close()
        await _until_writable(admin)
        return {"rows": rows, **loss.figures(await _stored(now))}
    finally:
        await standby.stop()
        await primary.stop()


async def _filled(server: PostgresServer, rows: int) -> str:
    """Make the ledger with so many purchases; return its URL."""
    url = await server.add_owner("purchases")
    await asyncio.to_thread(migrate, url=url, migrations=MIGRATIONS)
    await _fill(url, rows)
    return url


async def _lose_under_writes(server: PostgresServer, url: str, seconds: float) -> Loss:
    """Write for so many seconds, then kill the server and all its processes."""
    writes = Writes()
    writer = asyncio.create_task(writes.go_on(url))
    await asyncio.sleep(seconds)
    await server.process.kill()
    at = time.monotonic()
    await writer
    return Loss(at, writes.confirmed)


async def _admin(server: PostgresServer, *statements: str) -> None:
    connection = await asyncpg.connect(server.admin_url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def _until_synchronous(primary: PostgresServer) -> None:
    connection = await asyncpg.connect(primary.admin_url)
    try:
        while not await connection.fetchval("select count(*) from pg_stat_replication where sync_state = 'quorum'"):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    finally:
        await connection.close()


async def _archive_to(server: PostgresServer, archive: Path, *, every: int) -> None:
    """Have each finished WAL segment copied, and one finished after at most `every` seconds."""
    archive.mkdir()  # noqa: ASYNC240 - nothing else runs yet
    _own(server, archive)
    copy = f"test ! -f {archive}/%f && cp %p {archive}/%f.part && mv {archive}/%f.part {archive}/%f"
    wanted = {"archive_mode": "on", "archive_timeout": f"{every}s", "archive_command": copy}
    await _admin(server, *(f"alter system set {name} = '{value}'" for name, value in wanted.items()))
    await server.process.stop()
    await server.start()


async def _fill(url: str, rows: int) -> None:
    connection = await asyncpg.connect(url)
    try:
        for start in range(0, rows, 10_000):
            await given_pending(connection, [Sale() for _ in range(min(10_000, rows - start))])
    finally:
        await connection.close()


async def _base_backup(server: PostgresServer, into: Path, *options: str) -> Path:
    """Copy the running server to `into`, as `pg_basebackup` does; return that."""
    source = f"{server.admin_url}?application_name=standby"
    words: list[str | Path] = [server.program("pg_basebackup"), "-d", source, "-D", into, "--checkpoint=fast", *options]
    await asyncio.to_thread(subprocess.run, words, check=True, capture_output=True)
    _own(server, into)
    return into


def _restore(server: PostgresServer, base: Path, archive: Path) -> None:
    """Put the base backup where the lost data was, and have the archive replayed to its end."""
    data = server.directory / "data"
    shutil.rmtree(data)
    shutil.copytree(base, data)
    (data / "recovery.signal").touch()
    with (data / "postgresql.auto.conf").open("a") as settings:
        settings.write(f"restore_command = 'cp {archive}/%f %p'\narchive_mode = off\n")
    data.chmod(0o700)
    _own(server, data)


async def _until_writable(url: str) -> None:
    """Wait until the end of the archive is reached and the server has left recovery."""
    connection = await asyncpg.connect(url)
    try:
        while await connection.fetchval("select pg_is_in_recovery()"):  # noqa: ASYNC110 - nothing says so
            await asyncio.sleep(0.05)
    finally:
        await connection.close()


async def _stored(url: str) -> set[str]:
    connection = await asyncpg.connect(url)
    try:
        return {str(row["id"]) for row in await connection.fetch("select id from workspace_addon_purchases")}
    finally:
        await connection.close()


def _own(server: PostgresServer, path: Path) -> None:
    """Give `path` and what is in it to the user that PostgreSQL runs as."""
    owner = server.directory.stat()
    for each in (path, *path.rglob("*")):
        os.chown(each, owner.st_uid, owner.st_gid)


def _megabytes(path: Path) -> float:
    return sum(each.stat().st_size for each in path.rglob("*") if each.is_file()) / 1e6


def main(words: Sequence[str] | None = None) -> None:
    """Print the figures, one a line."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.restore", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000, help="purchases that the ledger has before the backup")
    parser.add_argument(
        "--archive-seconds", type=int, default=10, help="archive_timeout: a WAL segment ends at least so often"
    )
    parser.add_argument("--seconds", type=float, default=25, help="of writing between the backup and the loss")
    parser.add_argument("--standby", action="store_true", help="promote a synchronous standby instead")
    given = parser.parse_args(words)
    rows, seconds = given.rows, given.seconds
    with tempfile.TemporaryDirectory() as directory:
        at = Path(directory)
        figures = asyncio.run(
            measure_standby(at, rows=rows, seconds=seconds)
            if given.standby
            else measure_backup(at, rows=rows, archive_seconds=given.archive_seconds, seconds=seconds)
        )
    for name, value in figures.items():
        print(f"{name:18} {value:>12,.1f}")


if __name__ == "__main__":
    main()
