"""A new migration locks no table for long and rewrites none, and the version before runs on what it makes.

squawk reads the SQL that Alembic emits (https://squawkhq.com/docs/rules).
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any, Final

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import Script, ScriptDirectory

from chassis.database.online import create_index_concurrently

ROOT: Final = Path(__file__).parents[3]
MIGRATIONS: Final = {path.parent.name: path for path in sorted(ROOT.glob("services/*/src/*/migrations"))}
FIRST_LINTED: Final[Mapping[str, str]] = {"catalog": "0008", "notifier": "0007", "purchases": "0018"}
"""What came before this rule, while no release was out: no installation had rows when it ran."""
NOT_OURS: Final = (
    "prefer-text-field",
    "prefer-bigint-over-int",
    "prefer-bigint-over-smallint",
    "prefer-robust-stmts",
    "require-lock-timeout",
    "require-statement-timeout",
)
"""Matters of taste, and what the runner does: each revision is one transaction, which waits for no lock for long."""
EXCUSED: Final[Mapping[tuple[str, str], str]] = {}
"""(SERVICE REVISION, rule) → why it may break the rule: the contract half, a release after the last reader."""


def sql_of(upgrade: Callable[[], None]) -> str:
    """What it does, as SQL; a step outside of a transaction ends one before and begins one after."""
    written = StringIO()
    offline = {"as_sql": True, "output_buffer": written, "transactional_ddl": True}
    context = MigrationContext.configure(dialect_name="postgresql", opts=offline)
    with Operations.context(context), context.begin_transaction():
        upgrade()
    return written.getvalue()


def findings(sql: str) -> list[str]:
    """The rules that it breaks."""
    squawk = str(Path(sys.executable).with_name("squawk"))
    command = [squawk, "--reporter=json", "--pg-version=15", f"--exclude={','.join(NOT_OURS)}"]
    done = subprocess.run(command, input=sql, capture_output=True, text=True, check=False)
    assert done.returncode in {0, 1}, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout or "[]")
    return [str(finding["rule_name"]) for finding in found]


def linted() -> Iterator[tuple[str, Script]]:
    for service, path in MIGRATIONS.items():
        for script in ScriptDirectory(str(path)).walk_revisions():
            if script.revision >= FIRST_LINTED[service]:
                yield f"{service} {script.revision}", script


def test_a_new_migration_holds_up_nobody() -> None:
    """`CONTRIBUTING.md` says how else: the recipe of a new migration."""
    found = [(name, rule) for name, script in linted() for rule in findings(sql_of(script.module.upgrade))]

    assert [finding for finding in found if finding not in EXCUSED] == []


@pytest.mark.parametrize(
    ("service", "revision", "rules"),
    [
        ("purchases", "0015", {"require-concurrent-index-creation"}),
        ("purchases", "0014", {"ban-drop-column"}),
        ("notifier", "0006", {"require-concurrent-index-creation", "constraint-missing-not-valid"}),
    ],
)
def test_what_would_hold_up_everybody_is_found(service: str, revision: str, rules: set[str]) -> None:
    script = ScriptDirectory(str(MIGRATIONS[service])).get_revision(revision)
    assert script is not None

    assert set(findings(sql_of(script.module.upgrade))) >= rules


@pytest.mark.parametrize("service", MIGRATIONS)
def test_every_migration_can_be_taken_back(service: str) -> None:
    scripts = list(ScriptDirectory(str(MIGRATIONS[service])).walk_revisions())

    assert [script.revision for script in scripts if not hasattr(script.module, "downgrade")] == []


def test_the_step_that_makes_an_index_concurrently_is_let_through() -> None:
    index = partial(create_index_concurrently, "numbers_value", "numbers", ["value"], where="value is not null")

    assert findings(sql_of(index)) == []
