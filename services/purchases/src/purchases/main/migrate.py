"""The command that migrates the database and ends."""

from chassis.database.migrations import migrate
from chassis.process.logs import get_logger
from purchases.main import MIGRATIONS, read_settings

log = get_logger(__name__)


def migrate_database() -> None:
    """Bring the tables up to date; safe to repeat."""
    migrate(url=read_settings("purchases-migrate").database_url, migrations=MIGRATIONS)
    log.info("migrated")
