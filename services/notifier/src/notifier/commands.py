"""The operator's commands: what is parked, and send it again."""

from chassis.database import Database
from notifier import mails

PARKED_FLAG = "--parked"


async def resend(database: Database, keys: list[str]) -> int:
    """Queue the mails of `keys`, or every parked one, anew and say so; 1 when one of them could not be."""
    async with database.transaction() as session:
        if keys == [PARKED_FLAG]:
            queued, refused = await mails.resend_parked(session), []
        else:
            queued = [key for key in keys if await mails.resend(session, key)]
            refused = [key for key in keys if key not in queued]
    for key in queued:
        print(f"queued   {key}")
    for key in refused:
        print(f"refused  {key}: unknown, waiting for its turn already, or too old to be written again")
    return 1 if refused else 0


async def parked(database: Database) -> int:
    """Print key, time and reason of every parked mail."""
    async with database.reading() as session:
        rows = await mails.parked_mails(session)
    for key, parked_at, reason in rows:
        print(f"{key}  {parked_at:%Y-%m-%d %H:%M:%S}  {reason}")
    print(f"{len(rows)} parked")
    return 0
