"""SMTP_URL, read: `smtp://`, `smtps://`, credentials, and when the connection is upgraded by STARTTLS."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

PORTS: Final[Mapping[str, int]] = {"smtp": 25, "smtps": 465}
STARTTLS: Final[Mapping[str, bool | None]] = {"required": True, "offered": None, "never": False}
"""`offered`: whenever the server offers it. With a password the default is `required`, else `offered`."""


class BadSmtpUrl(ValueError):  # noqa: N818 - named for what it says
    """SMTP_URL cannot be read; the text never holds its password."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpServer:
    """Where mails are handed over. `start_tls` None: upgraded whenever the server offers it."""

    hostname: str
    port: int
    username: str | None
    password: str | None = field(repr=False)
    use_tls: bool
    start_tls: bool | None


def smtp_server(url: str) -> SmtpServer:
    """Read `smtp[s]://[user:password@]host[:port][?starttls=required|offered|never]`. Raises BadSmtpUrl."""
    parts = urlsplit(url)
    if parts.scheme not in PORTS or not parts.hostname:
        raise BadSmtpUrl("SMTP_URL must look like smtp://host:port or smtps://user:password@host:port")
    use_tls = parts.scheme == "smtps"
    return SmtpServer(
        hostname=parts.hostname,
        port=_port(parts),
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        use_tls=use_tls,
        start_tls=False if use_tls else _start_tls(parts),
    )


def _port(parts: SplitResult) -> int:
    try:
        return parts.port or PORTS[parts.scheme]
    except ValueError as error:
        raise BadSmtpUrl("SMTP_URL's port is no port") from error


def _start_tls(parts: SplitResult) -> bool | None:
    default = "required" if parts.password else "offered"
    wanted = parse_qs(parts.query).get("starttls", [default])[0]
    if wanted not in STARTTLS:
        raise BadSmtpUrl(f"SMTP_URL's starttls must be one of {', '.join(STARTTLS)}")
    return STARTTLS[wanted]
