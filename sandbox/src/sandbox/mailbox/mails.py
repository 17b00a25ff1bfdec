"""The mails that were accepted, newest first, as Mailpit would describe them."""

import email.policy
import itertools
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import getaddresses
from functools import cached_property
from typing import Any, Final

_PARSER: Final = BytesParser(policy=email.policy.default)
_KEPT: Final = 20_000
_SNIPPET: Final = 250

Json = dict[str, Any]


class Mail:
    """One accepted mail. Parsed when somebody looks."""

    def __init__(self, *, number: int, raw: bytes, sender: str, recipients: list[str], created: datetime) -> None:
        self.id = f"{number:06d}"
        self.raw = raw
        self.sender = sender
        self.recipients = recipients
        self.created = created

    @cached_property
    def message(self) -> EmailMessage:
        return _PARSER.parsebytes(self.raw)

    @cached_property
    def text(self) -> str:
        return self._part("plain")

    @cached_property
    def html(self) -> str:
        return self._part("html")

    @property
    def subject(self) -> str:
        return str(self.message["subject"] or "")

    @property
    def sent(self) -> datetime:
        """The mail's own date; the time it came where it has none."""
        header = self.message["date"]
        return header.datetime if header is not None and header.datetime else self.created

    def summary(self) -> Json:
        """Return an item of Mailpit's list."""
        return {
            **self._head(),
            "Read": False,
            "Created": self.created.isoformat().replace("+00:00", "Z"),
            "Snippet": " ".join(self.text.split())[:_SNIPPET],
            "Attachments": len(self._attachments()),
        }

    def full(self) -> Json:
        """Mailpit's answer for one message."""
        return {
            **self._head(),
            "ReturnPath": self.sender,
            "Date": self.sent.isoformat().replace("+00:00", "Z"),
            "Text": self.text,
            "HTML": self.html,
            "Inline": [],
            "Attachments": self._attachments(),
        }

    def headers(self) -> dict[str, list[str]]:
        return {name: [str(value) for value in self.message.get_all(name, [])] for name in self.message}

    def _head(self) -> Json:
        addresses = {name: self._addresses(name) for name in ("From", "To", "Cc", "Reply-To")}
        return {
            "ID": self.id,
            "MessageID": str(self.message["message-id"] or "").strip().strip("<>"),
            "From": next(iter(addresses["From"]), None),
            "To": addresses["To"],
            "Cc": addresses["Cc"],
            "Bcc": self._hidden([*addresses["To"], *addresses["Cc"]]),
            "ReplyTo": addresses["Reply-To"],
            "Subject": self.subject,
            "Tags": [],
            "Size": len(self.raw),
        }

    def _addresses(self, header: str) -> list[Json]:
        values = [str(value) for value in self.message.get_all(header, [])]
        return [{"Name": name, "Address": address} for name, address in getaddresses(values)]

    def _hidden(self, shown: list[Json]) -> list[Json]:
        """Recipients of the envelope that no header names."""
        known = {entry["Address"].lower() for entry in shown}
        return [{"Name": "", "Address": address} for address in self.recipients if address.lower() not in known]

    def _part(self, subtype: str) -> str:
        part = self.message.get_body(preferencelist=(subtype,))
        return str(part.get_content()).replace("\r\n", "\n") if part is not None else ""

    def _attachments(self) -> list[Json]:
        return [
            {"PartID": str(number), "FileName": part.get_filename() or "", "ContentType": part.get_content_type()}
            for number, part in enumerate(self.message.iter_attachments(), 1)
        ]


class Mails:
    """All of them, in memory; the oldest go when there are very many."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._mails: deque[Mail] = deque(maxlen=_KEPT)

    def __len__(self) -> int:
        return len(self._mails)

    def __iter__(self) -> Iterator[Mail]:
        return reversed(self._mails)

    def keep(self, *, raw: bytes, sender: str, recipients: list[str]) -> None:
        number, now = next(self._numbers), datetime.now(UTC)
        self._mails.append(Mail(number=number, raw=raw, sender=sender, recipients=recipients, created=now))

    def find(self, mail_id: str) -> Mail | None:
        """Return the mail `id`; `latest` is the newest, as in Mailpit."""
        return next((mail for mail in self if mail_id in {"latest", mail.id}), None)

    def search(self, query: str) -> list[Mail]:
        """Mailpit's `to:`, `from:`, `subject:` and `message-id:` terms, and plain words; all must fit."""
        terms = [term.partition(":") for term in query.replace('"', "").lower().split()]
        return [mail for mail in self if all(_fits(mail, *term) for term in terms)]

    def forget(self, ids: list[str] | None) -> None:
        """Those with these ids; all of them for none."""
        kept = [mail for mail in self._mails if ids and mail.id not in ids]
        self._mails = deque(kept, maxlen=_KEPT)


def _fits(mail: Mail, field: str, colon: str, value: str) -> bool:
    places = {
        "to": lambda: " ".join(mail.recipients),
        "from": lambda: f"{mail.sender} {mail.message['from']}",
        "subject": lambda: mail.subject,
        "message-id": lambda: str(mail.message["message-id"]),
    }
    if colon and field in places:
        return value in places[field]().lower()
    return f"{field}{colon}{value}" in f"{mail.subject} {mail.text} {' '.join(mail.recipients)}".lower()
