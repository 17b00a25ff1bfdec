"""Whether the database has the tables that this code expects; asked by readiness and the doctor only."""

import re
from pathlib import Path
from typing import Final

from sqlalchemy import text

from chassis.database.database import Database
from chassis.process.health import Health, NotReady

REVISION: Final = re.compile(r'^revision(?:: str)? = "([^"]+)"', re.MULTILINE)
BEFORE: Final = re.compile(r'^down_revision(?:: [^=]+)? = "([^"]+)"', re.MULTILINE)


class SchemaArrival:
    """What may come after we did: the migrations, which a job runs."""

    def __init__(self, database: Database, migrations: Path) -> None:
        self._database = database
        self._outdated = outdated_revisions(migrations)
        self._newest = newest_revision(migrations)

    def watch(self, health: Health) -> None:
        """Make `database` and `migrations` members of readiness."""
        health.check("database", self._database.ping)
        health.check("migrations", self.applied)

    async def applied(self) -> None:
        """Raise NotReady unless the newest migration of this code has run, and DBAPIError where nothing can be asked.

        A revision that this code does not know is a newer one: what was written before it goes on during a rollout.
        """
        async with self._database.reading() as session:
            any_has_run = await session.scalar(text("select to_regclass('alembic_version') is not null"))
            revision = any_has_run and await session.scalar(text("select version_num from alembic_version"))
        if not revision or revision in self._outdated:
            found = f"at revision {revision}" if revision else "empty"
            raise NotReady(f"the schema is {found} and this version needs {self._newest}: the command `migrate`")


def outdated_revisions(migrations: Path) -> frozenset[str]:
    """Return all revisions in `migrations` but the newest, read as text: Alembic would cost each process its import."""
    return _all(REVISION, migrations) & _all(BEFORE, migrations)


def newest_revision(migrations: Path) -> str:
    """Return the revision in `migrations` that no other one follows."""
    (newest,) = _all(REVISION, migrations) - _all(BEFORE, migrations)
    return newest


def _all(pattern: re.Pattern[str], migrations: Path) -> frozenset[str]:
    files = (file.read_text() for file in (migrations / "versions").glob("*.py"))
    return frozenset(match[1] for file in files if (match := pattern.search(file)))
