"""Two branches that each added a migration must not both be the next one: no database could be migrated."""

from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

ROOT = Path(__file__).parents[3]
MIGRATIONS = sorted(ROOT.glob("services/*/src/*/migrations"))


@pytest.mark.parametrize("migrations", MIGRATIONS, ids=lambda path: path.parent.name)
def test_the_migrations_of_a_service_are_one_line_in_the_order_of_their_names(migrations: Path) -> None:

    line = [revision.revision for revision in ScriptDirectory(str(migrations)).walk_revisions()]

    assert sorted(path.name[:4] for path in migrations.glob("versions/0*.py")) == line[::-1]


def test_every_service_with_a_database_has_some() -> None:
    assert [path.parent.name for path in MIGRATIONS] == ["catalog", "notifier", "purchases"]
