"""The command that brings the tables up to date and ends."""

from chassis.logs import get_logger
from chassis.migrations import migrate
from purchases.main import MIGRATIONS, read_settings

log = get_logger(__name__)


def migrate_database() -> None:
    """Safe to repeat."""
    migrate(url=read_settings("purchases-migrate").database_url, migrations=MIGRATIONS)
    log.info("migrated")
