"""SMTP_URL, and what each kind of failure means for a mail."""

import pytest
from aiosmtplib import (
    SMTPDataError,
    SMTPNotSupported,
    SMTPReadTimeoutError,
    SMTPRecipientRefused,
    SMTPResponseException,
    SMTPSenderRefused,
    SMTPServerDisconnected,
)

from notifier.delivery.sender import LAST_RETRY_SECONDS, retry_seconds
from notifier.delivery.smtp import Verdict, verdict_on
from notifier.delivery.smtp_url import BadSmtpUrl, smtp_server


@pytest.mark.parametrize(
    ("url", "port", "use_tls", "start_tls"),
    [
        ("smtp://mail.example", 25, False, None),
        ("smtp://mail.example:1025", 1025, False, None),
        ("smtp://user:pass@mail.example:587", 587, False, True),
        ("smtp://user:pass@mail.example:587?starttls=never", 587, False, False),
        ("smtp://mail.example?starttls=required", 25, False, True),
        ("smtps://user:pass@mail.example", 465, True, False),
    ],
)
def test_a_url_says_where_and_how(url: str, port: int, use_tls: bool, start_tls: bool | None) -> None:
    server = smtp_server(url)

    assert ("mail.example", port, use_tls, start_tls) == (
        server.hostname,
        server.port,
        server.use_tls,
        server.start_tls,
    )


def test_credentials_are_unquoted_and_never_shown() -> None:
    server = smtp_server("smtps://a%40b:p%2Fss@mail.example")

    assert (server.username, server.password) == ("a@b", "p/ss")
    assert "p/ss" not in repr(server)


@pytest.mark.parametrize(
    "url", ["", "mail.example:25", "http://mail.example", "smtp://", "smtp://mail:port", "smtp://m?starttls=maybe"]
)
def test_another_url_is_refused(url: str) -> None:
    with pytest.raises(BadSmtpUrl):
        smtp_server(url)


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (SMTPRecipientRefused(550, "no such user", "a@b"), Verdict.PARK),
        (SMTPRecipientRefused(501, "bad address", "a@b"), Verdict.PARK),
        (SMTPRecipientRefused(451, "greylisted", "a@b"), Verdict.DEFER),
        (SMTPRecipientRefused(452, "mailbox full", "a@b"), Verdict.DEFER),
        (SMTPRecipientRefused(530, "authentication required", "a@b"), Verdict.PAUSE),
        (SMTPRecipientRefused(503, "bad sequence", "a@b"), Verdict.DEFER),
        (SMTPDataError(554, "rejected"), Verdict.PARK),
        (SMTPDataError(451, "local error"), Verdict.DEFER),
        (SMTPSenderRefused(550, "not allowed to send", "us"), Verdict.PAUSE),
        (SMTPSenderRefused(451, "busy", "us"), Verdict.PAUSE),
        (SMTPNotSupported("no SMTPUTF8"), Verdict.PARK),
        (SMTPServerDisconnected("gone"), Verdict.DEFER),
        (SMTPReadTimeoutError("silence"), Verdict.DEFER),
        (SMTPResponseException(-1, "gibberish"), Verdict.DEFER),
        (TimeoutError(), Verdict.DEFER),
        (ConnectionResetError(), Verdict.DEFER),
        (RuntimeError("a bug"), Verdict.DEFER),
    ],
    ids=repr,
)
def test_a_failure_means(error: Exception, verdict: Verdict) -> None:
    assert verdict is verdict_on(error).verdict


def test_retries_come_later_and_later_and_never_in_step() -> None:
    waits = [retry_seconds(attempts) for attempts in range(1, 30)]

    assert waits[0] <= 2
    assert max(waits) <= LAST_RETRY_SECONDS
    assert min(waits[15:]) >= LAST_RETRY_SECONDS / 2
    assert len(set(waits)) > 20
