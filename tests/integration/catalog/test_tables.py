"""The database holds the rules too, whoever writes; and the migration makes what the models say."""

import asyncio
import json
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, Connection, text
from sqlalchemy.exc import DBAPIError

from catalog.main import MIGRATIONS
from catalog.tables import metadata
from chassis.database.migrations import migrate
from tests.integration.catalog.conftest import Catalog

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "price 0": ({"price_cents": 0}, "plan_addons_price_is_positive"),
    "a negative price": ({"price_cents": -1}, "plan_addons_price_is_positive"),
    "a slug with a slash": ({"slug": "a/b"}, "plan_addons_slug_is_url_safe"),
    "a slug in capitals": ({"slug": "Setup"}, "plan_addons_slug_is_url_safe"),
    "an empty slug": ({"slug": ""}, "plan_addons_slug_is_url_safe"),
    "a slug of 65": ({"slug": "x" * 65}, "character varying(64)"),
    "a blank name": ({"name": "  "}, "plan_addons_name_is_not_blank"),
    "a name of 121": ({"name": "x" * 121}, "character varying(120)"),
    "a currency in small letters": ({"currency": "eur"}, "plan_addons_currency_is_iso_4217"),
    "9 bullets": ({"bullets": json.dumps(["x"] * 9)}, "plan_addons_bullets_are_few"),
    "a bullet of 201": ({"bullets": json.dumps(["x" * 201])}, "plan_addons_bullets_are_short_texts"),
    "a bullet of 201 with a line end": ({"bullets": json.dumps(["x" * 100 + "\n" + "x" * 100])}, "short_texts"),
    "a bullet that is a number": ({"bullets": "[1]"}, "plan_addons_bullets_are_short_texts"),
    "bullets as an object": ({"bullets": "{}"}, "plan_addons_bullets_are_few"),
}
ROW = {"slug": "setup", "name": "Setup", "price_cents": 49900, "currency": "EUR", "bullets": None}
INSERT = text(
    "insert into plan_addons (id, slug, name, price_cents, currency, bullets, created_at, updated_at) values"
    " (gen_random_uuid(), :slug, :name, :price_cents, :currency, cast(:bullets as jsonb), now(), now())"
)


async def insert(catalog: Catalog, **changes: Any) -> None:
    async with catalog.database.transaction() as session:
        await session.execute(INSERT, ROW | changes)


@pytest.mark.parametrize("case", REFUSED)
async def test_the_table_refuses(catalog: Catalog, case: str) -> None:
    changes, rule = REFUSED[case]

    with pytest.raises(DBAPIError, match=rule.replace("(", r"\(").replace(")", r"\)")):
        await insert(catalog, **changes)


async def test_the_table_takes_what_is_just_within(catalog: Catalog) -> None:
    await insert(catalog, slug="x" * 64, name="ü" * 120, bullets=json.dumps(["é" * 200] * 8), price_cents=2**40)


async def test_a_row_is_inactive_and_first_in_line_unless_it_says_otherwise(catalog: Catalog) -> None:
    await insert(catalog)

    [row] = await catalog.rows()

    assert (row.is_active, row.sort_order, row.sequence, row.stripe_price_id) == (False, 0, 1, None)


async def test_two_rows_never_share_a_slug(catalog: Catalog) -> None:
    await insert(catalog)

    with pytest.raises(DBAPIError, match="slug"):
        await insert(catalog)


async def test_the_migration_makes_what_the_models_say(catalog: Catalog) -> None:
    def differences(connection: Connection) -> list[Any]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    async with catalog.database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []
        assert _checks_of_the_models() == set(
            await connection.run_sync(
                lambda sync: sync.scalars(
                    text("select conname from pg_constraint where contype = 'c' and conrelid <> 0")
                ).all()
            )
        )


async def test_migrating_again_changes_nothing(catalog: Catalog) -> None:
    await insert(catalog)

    await asyncio.to_thread(migrate, url=catalog.database.url, migrations=MIGRATIONS)

    assert len(await catalog.rows()) == 1


def _checks_of_the_models() -> set[str]:
    return {
        str(constraint.name)
        for table in metadata.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
    }
