"""What `python -m notifier` refuses before it starts."""

from typing import Any

import pytest

from notifier.__main__ import command
from notifier.delivery.smtp_url import BadSmtpUrl
from notifier.main import Settings
from notifier.main.mail_settings import UnusableSetting, mailer


def settings(**changes: Any) -> Settings:
    usable = {
        "mail_from": "Quittance <billing@quittance.example>",
        "team_notify_email": "team@quittance.example",
        "support_email": "help@quittance.example",
        "database_url": "postgresql://127.0.0.1/notifier",
        "smtp_url": "smtp://127.0.0.1:1025",
    }
    return Settings(**{**usable, **changes})


def test_the_mailer_is_made_of_the_settings() -> None:
    made = mailer(settings())

    assert (made.sender.display_name, made.sender.spec) == ("Quittance", "billing@quittance.example")
    assert made.team.spec == "team@quittance.example"


@pytest.mark.parametrize("name", ["mail_from", "team_notify_email", "support_email"])
@pytest.mark.parametrize("value", ["", "nobody", "ö@quittance.example"])
def test_an_address_of_ours_that_is_none_is_named(name: str, value: str) -> None:
    with pytest.raises(UnusableSetting, match=name.upper()):
        mailer(settings(**{name: value}))


def test_a_mail_server_that_is_none_is_refused() -> None:
    with pytest.raises(BadSmtpUrl):
        mailer(settings(smtp_url="mail.example"))


def test_a_locale_that_is_none_is_refused() -> None:
    with pytest.raises(UnusableSetting, match="MAIL_LOCALE"):
        mailer(settings(mail_locale="xx_nowhere"))


@pytest.mark.parametrize(
    "words", [["resend"], ["retry"], ["dance"], ["migrate", "now"], ["resend", "--parked", "key"], ["resend", "--all"]]
)
def test_an_unknown_command_says_which_there_are(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        command(words)

    assert refused.value.code == 2
    assert "usage" in capsys.readouterr().err
