"""From a row to an accepted mail: the stored fact is read, its letter written, and handed to the mail server."""

import ssl
from dataclasses import dataclass

from pydantic import ValidationError

from contracts import FACTS, UnknownFact
from notifier.delivery.messages import InvalidAddress, Mail, Mailbox, compose, mailbox
from notifier.delivery.patience import LongWaits, Patience
from notifier.delivery.smtp import Connection, NotSent, Verdict
from notifier.delivery.smtp_url import SmtpServer
from notifier.letters.letters import LETTERS, SECOND_LETTERS, Letter, Mailable, Recipient
from notifier.letters.rendering import LetterSettings, render
from notifier.mails import DueMail


class NoSuchLetter(ValueError):  # noqa: N818 - named for what it says
    """The stored fact has no letter in this version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailer:
    """Who we are, whom we write to, through which server, and how long we wait for it."""

    settings: LetterSettings
    sender: Mailbox
    team: Mailbox
    support: Mailbox
    server: SmtpServer
    patience: Patience
    tls_context: ssl.SSLContext

    def connections(self, number: int) -> list[Connection]:
        """Return new connections to the mail server; a quarter of them may wait long for what becomes of a mail."""
        waits = LongWaits.of(number)
        return [
            Connection(self.server, patience=self.patience, long_waits=waits, tls_context=self.tls_context)
            for _ in range(number)
        ]

    def write(self, due: DueMail) -> Mail:
        """Write the mail in its envelope. Raises NotSent(PARK) for one that can never be written as it stands."""
        try:
            return self._write(due)
        except InvalidAddress as error:
            raise NotSent(Verdict.PARK, str(error)) from error
        except ValidationError as error:
            raise NotSent(Verdict.PARK, f"the stored fact is unreadable: {error.error_count()} faults") from error
        except Exception as error:
            raise NotSent(Verdict.PARK, f"cannot be written: {error!r}") from error

    def _write(self, due: DueMail) -> Mail:
        letter, fact = _letter_of(due)
        to_owner = letter.to is Recipient.OWNER
        return compose(
            key=due.key,
            rendered=render(letter=letter, fact=fact, settings=self.settings),
            sender=self.sender,
            recipient=mailbox(fact.owner_email) if to_owner else self.team,
            reply_to=self.support if to_owner else None,
            queued_at=due.queued_at,
        )


def _letter_of(due: DueMail) -> tuple[Letter, Mailable]:
    fact = _read_stored(due)
    both = (LETTERS.get(type(fact)), SECOND_LETTERS.get(type(fact)))
    letter = next((letter for letter in both if letter and letter.name == due.letter), None)
    if letter is None:
        raise NoSuchLetter(due.letter)
    return letter, fact


def _read_stored(due: DueMail) -> Mailable:
    """Return the fact that was stored with the mail. Raises UnknownFact or pydantic's ValidationError."""
    fact = FACTS[due.fact_type].model_validate(due.fact) if due.fact_type in FACTS else None
    if not isinstance(fact, Mailable):
        raise UnknownFact(due.fact_type)
    return fact
