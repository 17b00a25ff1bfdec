"""Mail addresses, checked before they reach a header or the SMTP dialogue."""

import re
from dataclasses import dataclass
from typing import Final

import idna

ATOM: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u00a1-\ud7ff\uf900-\ufdcf\ufdf0-\uffef-]+"
LOCAL: Final = re.compile(rf'{ATOM}(?:\.{ATOM})*|"(?:[ !#-\[\]-~]|\\[ -~])+"')
"""RFC 5321's Dot-string and Quoted-string, and RFC 6531's letters beyond ASCII in the first."""
NAMED: Final = re.compile(r'\s*"?(?P<name>[^<>"]*?)"?\s*<(?P<spec>[^<>]+)>\s*')
LOCAL_OCTETS: Final = 64
ADDRESS_OCTETS: Final = 254
"""RFC 5321 §4.5.3.1: a path holds 256 octets, its angle brackets included."""


class InvalidAddress(ValueError):  # noqa: N818 - named for what it says
    """No mail can ever reach this address; the text says why, without the address itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailbox:
    """A checked address. `local` as it stands before the @, quoted where it must be; `domain` in ASCII."""

    local: str
    domain: str
    display_name: str = ""

    @property
    def spec(self) -> str:
        """What MAIL FROM and RCPT TO take."""
        return f"{self.local}@{self.domain}"

    @property
    def needs_smtputf8(self) -> bool:
        """A local part beyond ASCII can only be written with RFC 6531's extension."""
        return not self.local.isascii()


def mailbox(text: str, *, display_name: str = "") -> Mailbox:
    """`somebody@example.com`. Raises InvalidAddress."""
    local, _, domain = text.strip().rpartition("@")
    if not LOCAL.fullmatch(local):
        raise InvalidAddress("the address is malformed")
    found = Mailbox(local=local, domain=_ascii_domain(domain), display_name=display_name)
    if len(local.encode()) > LOCAL_OCTETS or len(found.spec.encode()) > ADDRESS_OCTETS:
        raise InvalidAddress("the address is too long")
    return found


def named_mailbox(text: str) -> Mailbox:
    """`Somebody <somebody@example.com>` or the bare address. Raises InvalidAddress."""
    if named := NAMED.fullmatch(text):
        return mailbox(named["spec"], display_name=named["name"])
    return mailbox(text)


def _ascii_domain(domain: str) -> str:
    """The domain as DNS has it (IDNA 2008), without the root's dot, which RFC 5321 has no place for."""
    try:
        return idna.encode(domain.removesuffix("."), uts46=True).decode("ascii").lower()
    except idna.IDNAError as error:
        raise InvalidAddress("the address's domain is malformed") from error
