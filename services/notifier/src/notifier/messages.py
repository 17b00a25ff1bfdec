"""A letter as a message of RFC 5322: plain text and HTML, made by a machine, the same id for the same mail."""

from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime

from notifier.addresses import Mailbox
from notifier.letters import message_id
from notifier.rendering import Rendered


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One mail, ready for the SMTP dialogue."""

    sender: Mailbox
    recipient: Mailbox
    content: bytes

    @property
    def needs_smtputf8(self) -> bool:
        return self.sender.needs_smtputf8 or self.recipient.needs_smtputf8


def compose(
    *, key: str, rendered: Rendered, sender: Mailbox, recipient: Mailbox, reply_to: Mailbox | None, queued_at: datetime
) -> Mail:
    """Put `rendered` into its envelope. `Date` is when it was queued, so that a repetition is the same message."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender.header
    message["To"] = recipient.header
    if reply_to:
        message["Reply-To"] = reply_to.header
    message["Subject"] = rendered.subject
    message["Date"] = format_datetime(queued_at)
    message["Message-ID"] = message_id(key=key, domain=sender.domain)
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(rendered.text, cte="quoted-printable")
    message.add_alternative(rendered.html, subtype="html", cte="quoted-printable")
    utf8 = sender.needs_smtputf8 or recipient.needs_smtputf8
    return Mail(sender=sender, recipient=recipient, content=message.as_bytes(policy=SMTPUTF8 if utf8 else SMTP))
