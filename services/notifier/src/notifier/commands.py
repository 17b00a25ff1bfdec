"""The operator's commands: what is parked, and try it again."""

from chassis import parked as parked_facts
from chassis.database import Database
from notifier import mails, unmailed

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


async def retry(database: Database, ids: list[str], *, consumer: str) -> int:
    """Have the parked facts of `ids` read again by the running process, and say so; 1 when one is not parked."""
    async with database.transaction() as session:
        found = [
            one
            for one in ids
            if one.isdecimal() and await parked_facts.retry_one(session, parked_id=int(one), consumer=consumer)
        ]
    for one in ids:
        print(f"due now  {one}" if one in found else f"refused  {one}: no parked fact")
    return 0 if found == ids else 1


async def parked(database: Database, *, consumer: str) -> int:
    """Print every parked mail, and every fact of which none could be made, with time and reason."""
    async with database.reading() as session:
        waiting = await mails.parked_mails(session)
        facts = await unmailed.parked_facts(session, consumer=consumer)
    for key, parked_at, reason in waiting:
        print(f"{key}  {parked_at:%Y-%m-%d %H:%M:%S}  {reason}")
    print(f"{len(waiting)} mails parked")
    for fact in facts:
        print(f"{fact.id}  {fact.type or 'no fact'}  {fact.record}  {fact.parked_at:%Y-%m-%d %H:%M:%S}  {fact.reason}")
    print(f"{len(facts)} facts parked")
    return 0
