"""Whether the database has the tables that this code expects; asked by readiness and the doctor only."""

import re
from pathlib import Path
from typing import Final

from sqlalchemy import text

from chassis.database.database import Database
from chassis.process.health import Health

REVISION: Final = re.compile(r'^revision(?:: str)? = "([^"]+)"', re.MULTILINE)
BEFORE: Final = re.compile(r'^down_revision(?:: [^=]+)? = "([^"]+)"', re.MULTILINE)


class SchemaArrival:
    """What may come after we did: the migrations, which a job runs."""

    def __init__(self, database: Database, migrations: Path) -> None:
        self._database = database
        self._outdated = outdated_revisions(migrations)

    def watch(self, health: Health) -> None:
        """Make `database` and `migrations` members of readiness."""
        health.check("database", self._database.ping)
        health.check("migrations", self.applied)

    async def applied(self) -> bool:
        """Return whether the newest migration of this code has run. Raises DBAPIError where none has.

        A revision that this code does not know is a newer one: what was written before it goes on during a rollout.
        """
        async with self._database.reading() as session:
            revision = await session.scalar(text("select version_num from alembic_version"))
        return revision is not None and revision not in self._outdated


def outdated_revisions(migrations: Path) -> frozenset[str]:
    """Return all revisions in `migrations` but the newest, read as text: Alembic would cost each process its import."""
    files = [file.read_text() for file in sorted((migrations / "versions").glob("*.py"))]
    before = frozenset(match[1] for file in files if (match := BEFORE.search(file)))
    known = frozenset(match[1] for file in files if (match := REVISION.search(file)))
    return known & before
