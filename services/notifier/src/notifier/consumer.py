"""Facts in, rows of `mails` out, in the transaction of the batch."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.kafka.records import Received
from chassis.outbox import fates
from chassis.outbox.fates import Fates
from contracts import Fact
from contracts.topics import PURCHASE_EVENTS, WORKSPACE_EVENTS
from notifier import mails
from notifier.letters.letters import letters_for, mail_key
from notifier.mails import NewMail

GROUP: Final = "notifier"
TOPICS: Final = (PURCHASE_EVENTS.name, WORKSPACE_EVENTS.name)

FATES: Final[Fates] = {**fates.FATES}
"""A row waits for nothing but the database, so the chassis' rows are all: its faults are waited out, the rest parks.
What a mail server says is VERDICTS' business, long after the batch."""


async def queue_mails(session: AsyncSession, batch: Sequence[Received], *, wake: Callable[[], None]) -> None:
    """Queue the mails that each fact calls for; a known key changes nothing. `wake` is called after the commit."""
    new = [
        replace(mail, traceparent=received.envelope.traceparent)
        for received in batch
        for mail in mails_for(received.fact)
    ]
    if new:
        await mails.queue(session, new)
        # The sender of this process is woken directly; a NOTIFY for those of others would cost a transaction a batch.
        event.listen(session.sync_session, "after_commit", lambda _: wake(), once=True)


def mails_for(fact: Fact) -> list[NewMail]:
    """Return the mails that `fact` calls for, one for each letter."""
    return [
        NewMail(
            key=mail_key(letter=letter, fact=fact),
            letter=letter.name,
            fact_type=fact.TYPE,
            fact=fact.model_dump(mode="json"),
        )
        for letter in letters_for(fact)
    ]
