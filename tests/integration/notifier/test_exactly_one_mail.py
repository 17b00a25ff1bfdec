"""One mail per purchase, letter and refund, however often and under whatever id its fact arrives."""

import asyncio
import uuid

import pytest

from contracts import Fact
from contracts.workspace_facts import RenewalFailed
from notifier import consumer, mails
from notifier.housekeeping import forget_old
from notifier.letters.letters import Mailable
from notifier.mails import NewMail
from notifier.parked import commands
from notifier.tables import INBOX, MAILS
from tests.fixtures import mailable_facts as facts
from tests.integration.notifier.conftest import Office, key_of, until


async def test_the_team_is_mailed_about_a_paid_purchase(office: Office) -> None:
    fact = facts.paid()
    async with office.notifying():
        await office.given_published(fact)
        await until(lambda: office.is_sent(fact))

    [mail] = office.about(fact)
    assert mail.recipients == ["team@quittance.test"]
    assert mail.sender == "billing@quittance.test"
    assert mail.subject == "New purchase: Professional AI Setup for Northwind Traders, €499.00"


async def test_the_owner_is_mailed_about_each_refund(office: Office) -> None:
    purchase_id = uuid.uuid4()
    refunds = [
        facts.refund_issued(purchase_id=purchase_id, sequence=number, stripe_refund_id=f"re_{number}")
        for number in (3, 4)
    ]
    async with office.notifying():
        await office.given_published(*refunds)
        await until(lambda: office.all_sent(*refunds))

    assert [mail.recipients for mail in office.about(refunds[0])] == [["dana@northwind.example"]] * 2


async def test_of_a_refund_mailed_as_made_that_failed_team_and_owner_get_one_mail_each(office: Office) -> None:
    issued = facts.refund_issued()
    failed = facts.refund_undone(purchase_id=issued.purchase_id, refund_id=issued.refund_id, sequence=4)
    async with office.notifying():
        await office.given_published(issued, failed)
        await office.given_published(failed, ce_id=uuid.uuid4())
        last = facts.paid()
        await office.given_published(last)
        await until(lambda: office.all_sent(issued, failed, last))
        await until(lambda: _are(3, office, failed))

    assert sorted((mail.recipients[0], mail.subject) for mail in office.about(failed)) == [
        ("dana@northwind.example", "The refund of €100.00 for Professional AI Setup did not go through"),
        ("dana@northwind.example", "Your refund of €100.00 for Professional AI Setup"),
        ("team@quittance.test", "Refund failed: €100.00 to Northwind Traders for Professional AI Setup"),
    ]


async def _are(number: int, office: Office, fact: Mailable) -> bool:
    return len(office.about(fact)) >= number


@pytest.mark.parametrize("fact", facts.one_of_each(), ids=lambda fact: fact.TYPE)
async def test_a_fact_delivered_again_is_no_second_mail(office: Office, fact: Mailable) -> None:
    """Again as it is, under other ids and sequences (a restored backup), and beside itself in one batch."""
    again = fact.model_copy(update={"sequence": 99})
    async with office.notifying():
        await office.given_published(fact, fact)
        await office.given_published(fact, ce_id=uuid.uuid4())
        await until(lambda: office.is_sent(fact))
        await office.given_published(again, fact)
        await office.given_published(fact, ce_id=uuid.uuid4())
        last = facts.renewal_failed() if isinstance(fact, RenewalFailed) else facts.paid()  # behind it on its topic
        await office.given_published(last)
        await until(lambda: office.is_sent(last))

    assert len(office.about(fact)) == 1


async def test_a_restored_inbox_makes_no_second_mail(office: Office) -> None:
    """Both halves of the notifier come up anew and read the topic from its start."""
    fact = facts.paid()
    async with office.notifying():
        await office.given_published(fact)
        await until(lambda: office.is_sent(fact))
    async with office.database.transaction() as session:
        await session.execute(INBOX.delete())
    last = facts.paid()
    async with office.notifying():
        await office.given_published(fact, last)
        await until(lambda: office.is_sent(last))

    assert len(office.about(fact)) == 1


async def test_two_processes_send_each_mail_once(office: Office) -> None:
    purchases = [facts.paid() for _ in range(60)]
    async with office.sending(), office.sending():
        await office.given_queued(*purchases)
        await until(lambda: office.all_sent(*purchases))

    assert [len(office.about(fact)) for fact in purchases] == [1] * 60


async def test_a_fact_nobody_is_mailed_about_leaves_no_row(office: Office) -> None:
    silent, last = facts.cancelled(previous_status="pending"), facts.paid()
    async with office.notifying():
        await office.given_published(silent, last)
        await until(lambda: office.is_sent(last))

    async with office.database.reading() as session:
        rows = await session.execute(MAILS.select().where(MAILS.c.key.contains(str(silent.purchase_id))))
        assert rows.all() == []


async def test_one_unreadable_record_does_not_stop_the_others(office: Office) -> None:
    """Not UTF-8, not JSON, not a fact of ours, and a name that the database cannot store."""
    before, after = facts.paid(), facts.paid()
    poison = facts.paid(workspace_name="nul \x00 byte")
    paid_type = ("ce_type", b"billing.purchase.paid.v1")
    async with office.notifying():
        await office.given_published(before)
        await office.given_record(headers=[("ce_id", b"\xff\xfe"), paid_type], value=b"{}")
        await office.given_record(headers=[("ce_id", str(uuid.uuid4()).encode()), paid_type], value=b"\xff{")
        await office.given_record(headers=[], value=b"")
        await office.given_published(poison, after)
        await until(lambda: office.is_sent(before))
        await until(lambda: office.is_sent(after))

    assert [len(office.about(fact)) for fact in (before, after)] == [1, 1]


async def test_a_fact_of_which_no_mail_could_be_made_is_shown_and_read_again_once_the_fault_is_mended(
    office: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The fault is in our own code: a version that cannot make this mail, then one that can."""
    fact, whole = facts.renewal_failed(), consumer.mails_for
    reason = f"no word for {fact.workspace_id}"

    def broken(one: Fact) -> list[NewMail]:
        if one.subject == fact.workspace_id:
            raise LookupError(reason)
        return whole(one)

    async with office.notifying():
        with monkeypatch.context() as faulty:
            faulty.setattr(consumer, "mails_for", broken)
            await office.given_published(fact)
            await until(lambda: office.parked_facts(because=reason))
        [parked] = await office.parked_facts(because=reason)
        await commands.parked(office.database, consumer=office.consumer)
        assert await commands.retry(office.database, [str(parked.id), "0", "x"], consumer=office.consumer) == 1
        await until(lambda: office.is_sent(fact))

    assert len(office.about(fact)) == 1
    assert await office.parked_facts(because=reason) == []
    shown = capsys.readouterr().out
    assert reason in shown
    assert f"due now  {parked.id}\nrefused  0: not parked\nrefused  x: not parked" in shown


async def test_an_old_mail_is_forgotten_but_never_sent_again(office: Office) -> None:
    fact = facts.paid()
    async with office.notifying():
        await office.given_queued(fact)
        await until(lambda: office.is_sent(fact))

        await asyncio.sleep(0.1)
        await forget_old(office.database, kept=facts.NO_TIME)
        await office.given_published(fact)
        await office.given_published(last := facts.paid())
        await until(lambda: office.is_sent(last))

    row = await office.row(fact)
    assert row is not None
    assert row["fact"] is None
    assert len(office.about(fact)) == 1
    async with office.database.transaction() as session:
        assert not await mails.resend(session, key_of(fact))
