"""The mail box, over real SMTP and HTTP."""

import sys
from collections.abc import AsyncIterator
from email.message import EmailMessage

import aiosmtplib
import httpx
import pytest

from sandbox.ports import LOOPBACK, free_port, is_listening
from sandbox.process import Process


class MailBox:
    def __init__(self, smtp_port: int, http_port: int) -> None:
        self.smtp_port = smtp_port
        self.http = httpx.AsyncClient(base_url=f"http://{LOOPBACK}:{http_port}", trust_env=False)

    async def send(self, message: EmailMessage, **options: object) -> None:
        await aiosmtplib.send(message, hostname=LOOPBACK, port=self.smtp_port, timeout=3, **options)  # type: ignore[arg-type]

    async def faults(self, **faults: object) -> None:
        (await self.http.post("/_sandbox/faults", json=faults)).raise_for_status()

    async def listed(self) -> list[dict[str, object]]:
        messages: list[dict[str, object]] = (await self.http.get("/api/v1/messages")).json()["messages"]
        return messages


@pytest.fixture(scope="module")
async def running_mailbox(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MailBox]:
    smtp, http = free_port(), free_port()
    command = [sys.executable, "-m", "sandbox.mailbox", "--smtp-port", str(smtp), "--http-port", str(http)]
    process = Process("mailbox", command, log=tmp_path_factory.mktemp("mailbox") / "mailbox.log")
    process.start()

    async def ready() -> bool:
        return is_listening(http)

    await process.until(ready, within=20)
    mailbox = MailBox(smtp, http)
    yield mailbox
    await mailbox.http.aclose()
    await process.stop()


@pytest.fixture
async def mailbox(running_mailbox: MailBox) -> MailBox:
    """Empty, and without faults."""
    await running_mailbox.faults()
    await running_mailbox.http.delete("/api/v1/messages")
    return running_mailbox


def a_mail(to: str = "Team <team@example.test>", subject: str = "New purchase") -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = "Quittance <billing@example.test>"
    mail["To"] = to
    mail["Subject"] = subject
    mail["Message-ID"] = "<purchase-1@example.test>"
    mail.set_content("Ein Kauf über 499,00 €\n")
    mail.add_alternative("<p>Ein Kauf über <b>499,00 €</b></p>\n", subtype="html")
    return mail


async def test_a_mail_is_shown_with_mailpits_names(mailbox: MailBox) -> None:
    await mailbox.send(a_mail())

    answer = (await mailbox.http.get("/api/v1/messages")).json()
    assert answer["total"] == 1
    summary = answer["messages"][0]
    assert summary["From"] == {"Name": "Quittance", "Address": "billing@example.test"}
    assert summary["To"] == [{"Name": "Team", "Address": "team@example.test"}]
    assert summary["Snippet"] == "Ein Kauf über 499,00 €"
    full = (await mailbox.http.get(f"/api/v1/message/{summary['ID']}")).json()
    assert full["Subject"] == "New purchase"
    assert full["MessageID"] == "purchase-1@example.test"
    assert full["Text"] == "Ein Kauf über 499,00 €\n"
    assert full["HTML"] == "<p>Ein Kauf über <b>499,00 €</b></p>\n"


async def test_the_newest_mail_comes_first(mailbox: MailBox) -> None:
    for subject in ("first", "second"):
        await mailbox.send(a_mail(subject=subject))

    assert [mail["Subject"] for mail in await mailbox.listed()] == ["second", "first"]


async def test_mails_are_found_by_their_recipient(mailbox: MailBox) -> None:
    await mailbox.send(a_mail(to="owner@example.test"))
    await mailbox.send(a_mail(to="team@example.test"))

    found = (await mailbox.http.get("/api/v1/search", params={"query": "to:owner@example.test"})).json()

    assert [mail["To"][0]["Address"] for mail in found["messages"]] == ["owner@example.test"]


async def test_an_unknown_mail_is_not_found(mailbox: MailBox) -> None:
    assert (await mailbox.http.get("/api/v1/message/nothing")).status_code == 404


async def test_all_mails_can_be_deleted(mailbox: MailBox) -> None:
    await mailbox.send(a_mail())

    await mailbox.http.delete("/api/v1/messages")

    assert await mailbox.listed() == []


async def test_people_see_the_list_and_the_mail(mailbox: MailBox) -> None:
    await mailbox.send(a_mail(subject="<script>alert(1)</script>"))

    page = (await mailbox.http.get("/")).text
    view = (await mailbox.http.get("/view/latest")).text

    assert "&lt;script&gt;alert(1)" in page
    assert "<iframe sandbox" in view
    assert "<script>" not in page + view


async def test_a_recipient_can_be_refused_for_ever_or_for_now(mailbox: MailBox) -> None:
    await mailbox.faults(refuse=["nobody@example.test"], temporary=["busy@example.test"])

    for address, code in (("nobody@example.test", 550), ("busy@example.test", 451)):
        with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as refused:
            await mailbox.send(a_mail(to=address))
        assert refused.value.recipients[0].code == code

    assert await mailbox.listed() == []


async def test_a_hanging_server_has_kept_the_mail(mailbox: MailBox) -> None:
    await mailbox.faults(hang=True)

    with pytest.raises(aiosmtplib.SMTPException):
        await mailbox.send(a_mail())

    assert len(await mailbox.listed()) == 1


async def test_a_server_that_was_down_comes_back_on_the_same_port(mailbox: MailBox) -> None:
    await mailbox.faults(down=True)
    with pytest.raises(aiosmtplib.SMTPConnectError):
        await mailbox.send(a_mail())

    await mailbox.faults()

    await mailbox.send(a_mail())
    assert len(await mailbox.listed()) == 1


async def test_an_unknown_fault_is_refused(mailbox: MailBox) -> None:
    assert (await mailbox.http.post("/_sandbox/faults", json={"rain": True})).status_code == 400
