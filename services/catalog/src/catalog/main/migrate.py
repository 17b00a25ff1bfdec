"""The command that brings the tables up to date and ends."""

from catalog.main import MIGRATIONS, read_settings
from chassis.database.migrations import migrate
from chassis.process.logs import get_logger

log = get_logger(__name__)


def migrate_database() -> None:
    """Bring the tables up to date; safe to repeat."""
    migrate(url=read_settings().database_url, migrations=MIGRATIONS)
    log.info("migrated")
