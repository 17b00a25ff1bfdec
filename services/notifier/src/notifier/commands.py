"""The operator's commands about mails: what is parked, and send it again; about facts they are everybody's."""

from chassis import parked_commands
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


async def parked(database: Database, *, consumer: str) -> int:
    """Print every parked mail, and every fact of which none could be made, with time and reason."""
    async with database.reading() as session:
        waiting = await mails.parked_mails(session)
    for key, parked_at, reason in waiting:
        print(f"{key}  {parked_at:%Y-%m-%d %H:%M:%S}  {reason}")
    print(f"{len(waiting)} mails parked")
    return await parked_commands.show(database, consumer=consumer)
