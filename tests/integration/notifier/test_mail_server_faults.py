"""A mail server that is away, says no, says later, says nothing, or says it late."""

import asyncio
from datetime import UTC, datetime

import pytest

from notifier.delivery import patience, sender
from notifier.housekeeping import export_backlog
from notifier.letters.letters import Mailable
from notifier.metrics import OLDEST_UNSENT, PARKED
from notifier.parked import commands
from tests.fixtures import mailable_facts as facts
from tests.integration.notifier.conftest import Office, key_of, until


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make seconds of waiting tenths; their order stays."""
    monkeypatch.setattr(sender, "FIRST_RETRY_SECONDS", 0.2)
    monkeypatch.setattr(sender, "POLL_SECONDS", 0.1)
    monkeypatch.setattr(sender, "UNREACHABLE_LIMIT", 0.5)
    monkeypatch.setattr(sender, "UNKNOWN_RETRY_SECONDS", 0.3)
    monkeypatch.setattr(sender, "FINISH_SECONDS", 0.5)


async def test_a_server_that_is_down_for_a_while_gets_each_mail_once(office: Office) -> None:
    purchases = [facts.paid() for _ in range(10)]
    await office.behave(down=True)
    async with office.notifying():
        await office.given_published(*purchases)
        # Not all are tried while the server is down: a few tell enough.
        await until(lambda: office.has_any_error(*purchases))
        await asyncio.sleep(1)
        assert not any([await office.is_sent(fact) or await office.is_parked(fact) for fact in purchases])

        await office.behave()
        await until(lambda: office.all_sent(*purchases))

    assert [len(office.about(fact)) for fact in purchases] == [1] * 10


async def test_connections_that_the_server_drops_are_replaced(office: Office) -> None:
    first, second = facts.paid(), facts.paid()
    async with office.sending():
        await office.given_queued(first)
        await until(lambda: office.is_sent(first))
        await office.behave(down=True)
        await office.behave()
        await office.given_queued(second)
        await until(lambda: office.is_sent(second), seconds=5)

    assert len(office.about(second)) == 1


async def test_a_recipient_refused_for_ever_is_parked_with_the_servers_words(office: Office) -> None:
    """And nobody else waits for it."""
    refused, other = facts.refund_issued(owner_email="gone@northwind.example"), facts.paid()
    await office.behave(refuse=["gone@northwind.example"])
    async with office.notifying():
        await office.given_published(refused, other)
        await until(lambda: office.is_parked(refused))
        await until(lambda: office.is_sent(other))

    row = await office.row(refused)
    assert row is not None
    assert row["last_error"] == "550 5.1.1 No such recipient"
    assert row["attempts"] == 1
    assert office.about(refused) == []


@pytest.mark.parametrize("address", ["", "nobody", "a@b\r\nBcc: x@y.example", "a@b.example, c@d.example"])
async def test_an_address_that_is_none_is_parked_without_asking_the_server(office: Office, address: str) -> None:
    fact = facts.refund_issued(owner_email=address)
    async with office.notifying():
        await office.given_published(fact)
        await until(lambda: office.is_parked(fact))

    assert office.about(fact) == []


async def test_a_recipient_refused_for_now_is_tried_again(office: Office) -> None:
    later, other = facts.refund_issued(owner_email="busy@northwind.example"), facts.paid()
    await office.behave(temporary=["busy@northwind.example"])
    async with office.notifying():
        await office.given_published(later, other)
        await until(lambda: office.has_error(later))
        await until(lambda: office.is_sent(other))
        assert not await office.is_parked(later)

        await office.behave()
        await until(lambda: office.is_sent(later))

    assert len(office.about(later)) == 1


async def test_accepted_and_then_silence_is_repeated_with_the_same_message_id(office: Office) -> None:
    """Nobody knows whether it arrived: the same message again, so that a mail reader can tell."""
    fact = facts.paid()
    await office.behave(hang=True)
    async with office.sending():
        await office.given_queued(fact)
        await until(lambda: office.has_error(fact))
        assert not await office.is_sent(fact)

        await office.behave()
        await until(lambda: office.is_sent(fact))

    copies = office.about(fact)
    assert len(copies) >= 2
    assert len({copy.raw for copy in copies}) == 1
    assert len({copy.message["Message-ID"] for copy in copies}) == 1


async def test_a_server_that_never_answers_gets_a_mail_three_times_and_then_it_is_parked(office: Office) -> None:
    fact = facts.paid()
    await office.behave(hang=True)
    async with office.sending():
        await office.given_queued(fact)
        await until(lambda: office.is_parked(fact), seconds=60)

    copies = office.about(fact)
    assert (len(copies), len({copy.raw for copy in copies})) == (3, 1)
    row = await office.row(fact)
    assert row is not None
    assert row["last_error"].startswith("handed over 3 times, and it may have arrived")


async def test_an_unanswered_mail_waits_half_an_hour(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "UNKNOWN_RETRY_SECONDS", 1800)
    fact = facts.paid()
    await office.behave(hang=True)
    async with office.sending():
        await office.given_queued(fact)
        await until(lambda: office.has_error(fact))

    assert await minutes_until_due(office, fact) == pytest.approx(30, abs=2)
    assert len(office.about(fact)) == 1


async def test_a_stop_makes_unknown_what_was_handed_over(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits as any other that nobody answered; the next process does not send it at once."""
    monkeypatch.setattr(sender, "UNKNOWN_RETRY_SECONDS", 1800)
    fact = facts.paid()
    await office.behave(hang=True)
    async with office.sending():
        await office.given_queued(fact)
        await until(lambda: _equals(len(office.about(fact)), 1))

    row = await office.row(fact)
    assert row is not None
    assert row["unanswered"] == 1
    assert await minutes_until_due(office, fact) == pytest.approx(30, abs=2)


async def test_a_mail_that_nobody_answers_is_another_process_only_after_this_one(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lease is renewed for as long as the server takes."""
    monkeypatch.setattr(sender, "LEASE_SECONDS", 1.0)
    fact = facts.paid()
    await office.behave(answer_after=3.5)
    async with office.sending(), office.sending():
        await office.given_queued(fact)
        await until(lambda: office.is_sent(fact))

    assert len(office.about(fact)) == 1
    row = await office.row(fact)
    assert row is not None
    assert row["attempts"] == 1


async def test_at_most_a_quarter_of_the_connections_wait_long_and_others_mails_go_out(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of eight connections two; the third mail that nobody answers is unknown as soon as that is a long wait."""
    monkeypatch.setattr(patience, "USUAL_SECONDS", 0.5)
    office.settings = office.settings.model_copy(update={"smtp_timeout_seconds": 300.0})
    owners = [f"silent-{number}@northwind.example" for number in range(3)]
    silent, other = [facts.refund_issued(owner_email=owner) for owner in owners], facts.paid()
    await office.behave(keep_silent=owners)
    async with office.sending():
        await office.given_queued(*silent)
        await until(lambda: office.has_any_error(*silent))
        errors = [await office.has_error(fact) for fact in silent]
        await office.given_queued(other)
        await until(lambda: office.is_sent(other))

    assert sorted(errors) == [False, False, True]


async def test_a_command_that_nobody_answers_hands_nothing_over(office: Office) -> None:
    fact = facts.refund_issued(owner_email="ignored@northwind.example")
    await office.behave(ignore=["ignored@northwind.example"])
    async with office.sending():
        await office.given_queued(fact)
        await until(lambda: office.has_error(fact))
        await office.behave()
        await until(lambda: office.is_sent(fact))

    row = await office.row(fact)
    assert row is not None
    assert row["unanswered"] == 0
    assert len(office.about(fact)) == 1


async def minutes_until_due(office: Office, fact: Mailable) -> float:
    row = await office.row(fact)
    assert row is not None
    return float((row["due_at"] - datetime.now(UTC)).total_seconds() / 60)


async def test_an_operator_sends_parked_mails_again(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    fact = facts.refund_issued(owner_email="gone@northwind.example")
    await office.behave(refuse=["gone@northwind.example"])
    async with office.sending():
        await office.given_queued(fact)
        await until(lambda: office.is_parked(fact))
        await commands.parked(office.database, consumer=office.consumer)
        assert f"{key_of(fact)}" in capsys.readouterr().out

        await office.behave()
        assert await commands.resend(office.database, ["--parked"]) == 0
        await until(lambda: office.is_sent(fact))

    assert len(office.about(fact)) == 1


async def test_an_operator_sends_one_mail_again(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    fact = facts.paid()
    async with office.sending():
        await office.given_queued(fact)
        await until(lambda: office.is_sent(fact))

        assert await commands.resend(office.database, [key_of(fact), "no-such-key"]) == 1
        await until(lambda: _equals(len(office.about(fact)), 2))
        await until(lambda: office.is_sent(fact))

    assert "refused  no-such-key" in capsys.readouterr().out
    assert len({mail.message["Message-ID"] for mail in office.about(fact)}) == 1


async def test_a_mail_on_its_way_cannot_be_sent_a_second_time(office: Office) -> None:
    """It is leased or waits for its turn: sending it again would be two mails."""
    fact = facts.paid()
    await office.given_queued(fact)

    assert await commands.resend(office.database, [key_of(fact)]) == 1


async def test_the_backlog_is_shown(office: Office) -> None:
    await office.given_queued(facts.paid())
    await asyncio.sleep(0.05)

    await export_backlog(office.database)

    assert OLDEST_UNSENT._value.get() > 0
    assert PARKED._value.get() == 0


async def _equals(left: object, right: object) -> bool:
    return left == right
