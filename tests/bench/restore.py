"""How much a restore of the ledger from its base backup and archived WAL loses, and how long it takes.

`python -m tests.bench.restore` prints both, for a durable PostgreSQL that is killed under writes and loses its disk.
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


async def measure(directory: Path, *, rows: int, archive_seconds: int, seconds: float) -> dict[str, float]:
    """Write, back up, go on writing, lose the disk, restore; return what was lost and how long each part took."""
    server = PostgresServer(log=directory / "postgres.log", durable=True)
    try:
        await server.start()
        archive = server.directory / "archive"
        await _archive_to(server, archive, every=archive_seconds)
        url = await server.add_owner("purchases")
        await asyncio.to_thread(migrate, url=url, migrations=MIGRATIONS)
        await _fill(url, rows)
        base, backed_up = await _back_up(server)
        writes = Writes()
        writer = asyncio.create_task(writes.go_on(url))
        await asyncio.sleep(seconds)
        await server.process.kill()
        lost_at = time.monotonic()
        await writer
        _lose_the_disk_and_restore(server, base, archive)
        await server.start()
        await _until_writable(server)
        took = time.monotonic() - lost_at
        kept = await _stored(url)
        lost = [at for purchase, at in writes.confirmed.items() if purchase not in kept]
        return {
            "rows": rows,
            "base backup, MB": _megabytes(base),
            "base backup, s": backed_up,
            "confirmed": len(writes.confirmed),
            "lost": len(lost),
            "RPO, s": lost_at - min(lost, default=lost_at),
            "RTO, s": took,
        }
    finally:
        await server.stop()


async def _archive_to(server: PostgresServer, archive: Path, *, every: int) -> None:
    """Have each finished WAL segment copied, and one finished after at most `every` seconds."""
    archive.mkdir()  # noqa: ASYNC240 - nothing else runs yet
    _own(server, archive)
    connection = await asyncpg.connect(server.admin_url)
    try:
        for name, value in (
            ("archive_mode", "on"),
            ("archive_timeout", f"{every}s"),
            (
                "archive_command",
                f"test ! -f {archive}/%f && cp %p {archive}/%f.part && mv {archive}/%f.part {archive}/%f",
            ),
        ):
            await connection.execute(f"alter system set {name} = '{value}'")
    finally:
        await connection.close()
    await server.process.stop()
    await server.start()


async def _fill(url: str, rows: int) -> None:
    connection = await asyncpg.connect(url)
    try:
        for start in range(0, rows, 10_000):
            await given_pending(connection, [Sale() for _ in range(min(10_000, rows - start))])
    finally:
        await connection.close()


async def _back_up(server: PostgresServer) -> tuple[Path, float]:
    """Take a base backup as `pg_basebackup` does on a running server; return its place and the seconds it took."""
    base, started = server.directory / "base", time.monotonic()
    program = server.program("pg_basebackup")
    words = [str(program), "-d", server.admin_url, "-D", str(base), "-X", "fetch", "--checkpoint=fast"]
    await asyncio.to_thread(subprocess.run, words, check=True, capture_output=True)
    return base, time.monotonic() - started


def _lose_the_disk_and_restore(server: PostgresServer, base: Path, archive: Path) -> None:
    data = server.directory / "data"
    shutil.rmtree(data)
    shutil.copytree(base, data)
    (data / "recovery.signal").touch()
    with (data / "postgresql.auto.conf").open("a") as settings:
        settings.write(f"restore_command = 'cp {archive}/%f %p'\narchive_mode = off\n")
    data.chmod(0o700)
    _own(server, data)


async def _until_writable(server: PostgresServer) -> None:
    """Wait until the end of the archive is reached and the server has left recovery."""
    connection = await asyncpg.connect(server.admin_url)
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
    given = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as directory:
        figures = asyncio.run(
            measure(Path(directory), rows=given.rows, archive_seconds=given.archive_seconds, seconds=given.seconds)
        )
    for name, value in figures.items():
        print(f"{name:18} {value:>12,.1f}")


if __name__ == "__main__":
    main()
