"""The notifier's database is restored to before some facts: read again, they are mailed; what is known is not."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, text

import notifier.main.reread
from notifier.main.reread import reread
from notifier.tables import INBOX, MAILS
from tests.fixtures import mailable_facts as facts
from tests.integration.notifier.conftest import Office, key_of, until


async def test_a_fact_that_a_restored_database_does_not_know_is_mailed_and_a_known_one_is_not(
    office: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(notifier.main.reread, "GROUP", office.consumer)
    monkeypatch.setattr(notifier.main.reread, "read_settings", lambda: office.settings)
    known, forgotten = facts.paid(), [facts.paid() for _ in range(3)]
    async with office.notifying():
        await office.given_published(known, *forgotten)
        await until(lambda: office.all_sent(known, *forgotten), seconds=60)
    async with office.database.transaction() as session:
        await session.execute(text("set local quittance.maintenance = 'on'"))
        await session.execute(delete(MAILS).where(MAILS.c.key.in_([key_of(fact) for fact in forgotten])))
        await session.execute(delete(INBOX).where(INBOX.c.fact_id.in_([fact.id for fact in forgotten])))

    for _ in range(2):
        assert await reread(since=timedelta(hours=1)) == 0
    async with office.sending():
        await until(lambda: office.all_sent(*forgotten), seconds=60)

    assert [len(office.about(fact)) for fact in (known, *forgotten)] == [1, 2, 2, 2]
    assert "records read, 0 of them applied" in capsys.readouterr().out
