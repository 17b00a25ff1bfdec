"""What the mail server does wrong on request, so that a test sees the notifier cope."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any


@dataclass(frozen=True)
class Faults:
    """Addresses are exact, or `*` for everybody."""

    refuse: list[str] = field(default_factory=list)
    """550 for ever: this recipient does not exist."""
    temporary: list[str] = field(default_factory=list)
    """451: try again later."""
    hang: bool = False
    """The mail is kept, and the answer never comes."""
    keep_silent: list[str] = field(default_factory=list)
    """So for these recipients alone."""
    ignore: list[str] = field(default_factory=list)
    """No answer to RCPT TO with these recipients; nothing is kept."""
    answer_after: float = 0
    """The mail is kept, and the answer comes so many seconds later."""
    down: bool = False
    """Nobody listens on the SMTP port."""

    def keeps_silent(self, recipients: Iterable[str]) -> bool:
        """Return whether a mail to these is kept without an answer."""
        return self.hang or not {"*", *recipients}.isdisjoint(self.keep_silent)

    def answer_for(self, address: str) -> str | None:
        """Return the refusal that this recipient gets, if any."""
        if address in self.refuse or "*" in self.refuse:
            return "550 5.1.1 No such recipient"
        if address in self.temporary or "*" in self.temporary:
            return "451 4.3.0 Try again later"
        return None


def faults_from(body: Mapping[str, Any]) -> Faults:
    """Read the faults. Raises `ValueError` for one that we cannot make."""
    known = {entry.name for entry in fields(Faults)}
    if unknown := set(body) - known:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(sorted(known))}")
    return Faults(**body)
