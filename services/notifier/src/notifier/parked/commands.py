"""The operator's commands: what is parked, try it again, end it, and send a mail anew that was sent."""

from collections.abc import Sequence

from chassis.database.database import Database
from chassis.outbox.parked_commands import OPERATOR
from notifier.parked import parked_items
from notifier.parked.parked_items import Kind

PARKED_FLAG = "--parked"


async def resend(database: Database, keys: list[str]) -> int:
    """Queue the mails of `keys`, or every parked one, anew and say so; 1 when one of them could not be."""
    async with database.transaction() as session:
        if keys == [PARKED_FLAG]:
            keys = queued = [_word(item) for item in await parked_items.retry_all_mails(session, actor=OPERATOR)]
        else:
            queued = [key for key in keys if await parked_items.resend(session, key, actor=OPERATOR)]
    refused = [key for key in keys if key not in queued]
    for key in queued:
        print(f"queued   {key}")
    for key in refused:
        print(f"refused  {key}: unknown, waiting for its turn already, or too old to be written again")
    return 1 if refused else 0


async def parked(database: Database, *, consumer: str) -> int:
    """Print every parked mail by its key, and every fact of which none could be made, with time and reason."""
    async with database.reading() as session:
        items = await parked_items.open_items(session, consumer=consumer)
    for item in items:
        fact = f"{item.about}  {item.record}  " if item.record else ""
        print(f"{_word(item.id)}  {fact}{item.since:%Y-%m-%d %H:%M:%S}  {item.reason}")
    for kind in Kind:
        number = sum(item.kind is kind for item in items)
        print(f"{number} {kind}s parked" + (", and perhaps more" if number == parked_items.SHOWN else ""))
    return 0


async def retry(database: Database, ids: Sequence[str], *, consumer: str) -> int:
    """Have the items of `ids` tried again by the running process, and say so; 1 when one is not parked."""
    async with database.transaction() as session:
        found = [
            word for word in ids if await parked_items.retry(session, named(word), consumer=consumer, actor=OPERATOR)
        ]
    return _say(ids, found, "due now")


async def discard(database: Database, ids: Sequence[str], *, consumer: str, reason: str) -> int:
    """End the items of `ids`, and say so; 1 when one is not parked."""
    async with database.transaction() as session:
        found = [
            word
            for word in ids
            if await parked_items.discard(session, named(word), consumer=consumer, actor=OPERATOR, reason=reason)
        ]
    return _say(ids, found, "discarded")


def named(word: str) -> str:
    """Return the item that an operator names: by its id, a fact by its number, or a mail by its key."""
    if parked_items.reference_of(word):
        return word
    return f"{Kind.FACT}-{word}" if word.isdecimal() else parked_items.id_of_mail(word)


def _word(item_id: str) -> str:
    """Return what an operator reads and types: a mail's key, a fact's number."""
    reference = parked_items.reference_of(item_id)
    return reference[1] if reference else item_id


def _say(ids: Sequence[str], found: Sequence[str], done: str) -> int:
    for word in ids:
        print(f"{done}  {word}" if word in found else f"refused  {word}: not parked")
    return 0 if list(found) == list(ids) else 1
