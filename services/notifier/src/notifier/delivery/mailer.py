"""From a row to an accepted mail: the stored fact is read, its letter written, and handed to the mail server."""

import ssl
from dataclasses import dataclass

from pydantic import ValidationError

from contracts import FACTS, UnknownFact
from notifier.delivery.messages import InvalidAddress, Mail, Mailbox, compose, mailbox
from notifier.delivery.smtp import Connection, NotSent, Verdict
from notifier.delivery.smtp_url import SmtpServer
from notifier.letters.letters import BESIDE, LETTERS, Letter, Mailable, Recipient
from notifier.letters.rendering import House, render
from notifier.mails import DueMail


class NoSuchLetter(ValueError):  # noqa: N818 - named for what it says
    """The stored fact has no letter in this version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailer:
    """Who we are, whom we write to, and through which server. `timeout` in seconds bounds one attempt."""

    house: House
    sender: Mailbox
    team: Mailbox
    support: Mailbox
    server: SmtpServer
    timeout: float
    tls_context: ssl.SSLContext

    def connection(self) -> Connection:
        """A connection of its own for whoever sends."""
        return Connection(self.server, timeout=self.timeout, tls_context=self.tls_context)

    def written(self, due: DueMail) -> Mail:
        """The mail in its envelope. Raises NotSent(PARK) for one that can never be written as it stands."""
        try:
            return self._written(due)
        except InvalidAddress as error:
            raise NotSent(Verdict.PARK, str(error)) from error
        except ValidationError as error:
            raise NotSent(Verdict.PARK, f"the stored fact is unreadable: {error.error_count()} faults") from error
        except Exception as error:
            raise NotSent(Verdict.PARK, f"cannot be written: {error!r}") from error

    def _written(self, due: DueMail) -> Mail:
        letter, fact = _letter_of(due)
        to_owner = letter.to is Recipient.OWNER
        return compose(
            key=due.key,
            rendered=render(letter=letter, fact=fact, house=self.house),
            sender=self.sender,
            recipient=mailbox(fact.owner_email) if to_owner else self.team,
            reply_to=self.support if to_owner else None,
            queued_at=due.queued_at,
        )


def _letter_of(due: DueMail) -> tuple[Letter, Mailable]:
    fact = _read_stored(due)
    both = (LETTERS.get(type(fact)), BESIDE.get(type(fact)))
    letter = next((one for one in both if one and one.name == due.letter), None)
    if letter is None:
        raise NoSuchLetter(due.letter)
    return letter, fact


def _read_stored(due: DueMail) -> Mailable:
    """The fact that was stored with the mail. Raises UnknownFact or pydantic's ValidationError."""
    fact = FACTS[due.fact_type].model_validate(due.fact) if due.fact_type in FACTS else None
    if not isinstance(fact, Mailable):
        raise UnknownFact(due.fact_type)
    return fact
