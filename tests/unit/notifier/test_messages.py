"""Messages as a mail reader sees them: read back with email.message."""

import email
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.delivery.messages import ForbiddenInHeader, compose, mailbox, named_mailbox
from notifier.letters.rendering import LetterSettings, Rendered, render
from tests.fixtures import mailable_facts as facts

WORDS = Rendered(subject="Hello", text="Hello\n.\nline", html="<p>Hello</p>")


def message(**changes: Any) -> tuple[bytes, EmailMessage]:
    given = {
        "key": "purchase-paid:1",
        "rendered": WORDS,
        "sender": named_mailbox("Quittance <billing@quittance.example>"),
        "recipient": mailbox("team@quittance.example"),
        "reply_to": mailbox("help@quittance.example"),
        "queued_at": datetime(2026, 3, 20, 11, 45, tzinfo=UTC),
    }
    content = compose(**{**given, **changes}).content
    return content, email.message_from_bytes(content, policy=default)


def text_of(read: EmailMessage, kind: str) -> str:
    part = read.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def test_a_message_is_text_and_html_made_by_a_machine() -> None:
    _, read = message()

    assert [defect for part in read.walk() for defect in part.defects] == []
    assert read.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in read.iter_parts()] == ["text/plain", "text/html"]
    assert read["Auto-Submitted"] == "auto-generated"
    assert read["From"] == "Quittance <billing@quittance.example>"
    assert read["Reply-To"] == "help@quittance.example"
    assert datetime(2026, 3, 20, 11, 45, tzinfo=UTC) == read["Date"].datetime
    assert text_of(read, "plain").rstrip("\n") == "Hello\n.\nline"


def test_the_message_id_is_the_mails_own_at_our_domain() -> None:
    """Byte for byte the same when it has to be repeated; another mail has another id."""
    first, read = message()
    again, _ = message()
    _, other = message(key="purchase-paid:2")

    assert first == again
    assert read["Message-ID"] != other["Message-ID"]
    assert read["Message-ID"].endswith("@quittance.example>")


@given(
    name=st.text(max_size=80) | st.sampled_from(["=?utf-8?q?=0ABcc=3A_x?=", "a" * 300, "Bcc: x@y.example\r\nX: y"]),
    reason=st.none() | st.text(max_size=200),
)
def test_whatever_a_name_holds_the_headers_are_ours(name: str, reason: str | None) -> None:
    """Names and reasons change what the subject says, never which headers there are."""
    fact = facts.paid(addon_name=name, workspace_name=name, reason=reason)
    letter = facts.letter_for(fact)
    assert letter is not None
    rendered = render(letter=letter, fact=fact, settings=LetterSettings(support_email="help@quittance.example"))

    content, read = message(rendered=rendered)

    assert message()[1].keys() == read.keys()
    assert [defect for part in read.walk() for defect in part.defects] == []
    assert rendered.subject == str(read["Subject"])
    assert rendered.text.strip() == text_of(read, "plain").strip()
    assert max(len(line) for line in content.split(b"\r\n")) <= 998
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert b"\r" not in content.replace(b"\r\n", b"")


def test_a_line_break_never_reaches_a_header() -> None:
    with pytest.raises(ForbiddenInHeader):
        message(rendered=Rendered(subject="Hello\r\nBcc: x@y.example", text="", html=""))


def test_an_international_recipient_needs_smtputf8() -> None:
    mail = compose(
        key="k",
        rendered=WORDS,
        sender=mailbox("billing@quittance.example"),
        recipient=mailbox("jörg@example.org"),
        reply_to=None,
        queued_at=datetime.now(UTC),
    )

    assert mail.needs_smtputf8
    assert "To: jörg@example.org".encode() in mail.content
