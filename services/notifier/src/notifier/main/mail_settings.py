"""What mails are made and sent with, of the settings that say so."""

import ssl

from babel import Locale, UnknownLocaleError

from notifier.delivery.mailer import Mailer
from notifier.delivery.messages import InvalidAddress, Mailbox, named_mailbox
from notifier.delivery.patience import Patience
from notifier.delivery.smtp_url import smtp_server
from notifier.letters.rendering import LetterSettings
from notifier.main import Settings


class UnusableSetting(ValueError):  # noqa: N818 - named for what it says
    """The process refuses to start: with this setting no mail could ever go out."""


def mailer(settings: Settings) -> Mailer:
    """Return everything that a mail needs but its fact. Raises UnusableSetting or BadSmtpUrl."""
    support = _mailbox(settings.support_email, name="SUPPORT_EMAIL")
    return Mailer(
        settings=LetterSettings(
            support_email=support.spec, public_base_url=settings.public_base_url, locale=_locale(settings.mail_locale)
        ),
        sender=_mailbox(settings.mail_from, name="MAIL_FROM"),
        team=_mailbox(settings.team_notify_email, name="TEAM_NOTIFY_EMAIL"),
        support=support,
        server=smtp_server(settings.smtp_url.get_secret_value()),
        patience=Patience(settings.smtp_timeout_seconds),
        tls_context=ssl.create_default_context(),
    )


def _mailbox(text: str, *, name: str) -> Mailbox:
    try:
        found = named_mailbox(text)
    except InvalidAddress as error:
        raise UnusableSetting(f"{name}: {error}") from error
    if found.needs_smtputf8:
        raise UnusableSetting(f"{name}: not every mail server takes an address beyond ASCII")
    return found


def _locale(name: str) -> str:
    try:
        return str(Locale.parse(name))
    except (ValueError, UnknownLocaleError) as error:
        raise UnusableSetting(f"MAIL_LOCALE: {error}") from error
