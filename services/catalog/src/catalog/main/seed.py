"""The command that plants the seed and ends."""

from datetime import UTC, datetime

from catalog.main import NAME, read_settings
from catalog.seed import plant_seed
from chassis.database.database import Database
from chassis.process.logs import get_logger

log = get_logger(__name__)


async def seed() -> None:
    """Plant the seed; safe to repeat."""
    async with Database(read_settings().database_url, name=NAME) as database, database.transaction() as session:
        planted = await plant_seed(session=session, now=datetime.now(UTC))
    log.info("seeded", planted=planted)
