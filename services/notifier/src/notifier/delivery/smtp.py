"""The SMTP dialogue over a few connections that are kept open, and VERDICTS: what an error means for the mail."""

import asyncio
import re
import socket
import ssl
from collections.abc import Mapping
from enum import Enum
from time import monotonic
from typing import Any, Final

from aiosmtplib import (
    SMTP,
    SMTPDataError,
    SMTPException,
    SMTPNotSupported,
    SMTPReadTimeoutError,
    SMTPRecipientRefused,
    SMTPResponse,
    SMTPSenderRefused,
    SMTPServerDisconnected,
    SMTPStatus,
    SMTPTimeoutError,
)
from aiosmtplib.protocol import SMTPProtocol

from notifier.delivery.messages import Mail
from notifier.delivery.patience import LongWaits, Patience
from notifier.delivery.smtp_url import SmtpServer

IDLE_SECONDS: Final = 10.0
"""After this long a connection is opened anew: firewalls and servers drop silent ones without a word."""
MAILS_PER_CONNECTION: Final = 100
CONNECT_SECONDS: Final = 10.0
"""For the connection alone: the greeting may take as long as a command."""
LINE_WITH_DOT: Final = re.compile(rb"(?m)^\.")


class Verdict(Enum):
    """What becomes of a mail that the server did not take."""

    PAUSE = "paused"
    """The server takes nobody's mail now: all of them wait."""
    DEFER = "deferred"
    """Not this one, not now. The server does not have it."""
    UNKNOWN = "unknown"
    """It was handed over whole, and nobody said whether it was taken: the same Message-ID again, much later."""
    PARK = "parked"
    """Never, as it stands."""


class NotSent(Exception):  # noqa: N818 - named for what it says
    """The mail was not accepted, or we do not know. `code` is the server's, if it spoke."""

    def __init__(self, verdict: Verdict, reason: str, *, code: int | None = None) -> None:
        super().__init__(reason)
        self.verdict = verdict
        self.code = code


VERDICTS: Final[Mapping[type[Exception], Verdict]] = {
    SMTPSenderRefused: Verdict.PAUSE,
    SMTPRecipientRefused: Verdict.PARK,
    SMTPDataError: Verdict.PARK,
    SMTPNotSupported: Verdict.PARK,
    SMTPServerDisconnected: Verdict.DEFER,
    SMTPTimeoutError: Verdict.DEFER,
    TimeoutError: Verdict.DEFER,
    OSError: Verdict.DEFER,
    SMTPException: Verdict.DEFER,
    Exception: Verdict.DEFER,
}
"""Once the connection stands, and until the mail's final dot; after it only a reply is no UNKNOWN.
Before, every error means PAUSE: host, TLS, greeting and login are the server's."""

CODES: Final[Mapping[int, Verdict]] = {503: Verdict.DEFER, 530: Verdict.PAUSE, 535: Verdict.PAUSE, 538: Verdict.PAUSE}
"""Permanent by their number, yet about the dialogue or our login and not about this mail."""


def verdict_on(error: Exception) -> NotSent:
    """Return what `error`, which came after the connection stood, means."""
    code = getattr(error, "code", None)
    verdict = next(VERDICTS[kind] for kind in type(error).__mro__ if kind in VERDICTS)
    if verdict is Verdict.PARK and code is not None:
        verdict = CODES.get(code, Verdict.PARK if code >= 500 else Verdict.DEFER)
    text = getattr(error, "message", None) or str(error) or "no answer in time"
    return NotSent(verdict, f"{code} {text}" if code else f"{type(error).__name__}: {text}", code=code)


class Connection:
    """One connection, opened when it is needed and kept while it is young and has never failed."""

    def __init__(
        self, server: SmtpServer, *, patience: Patience, long_waits: LongWaits, tls_context: ssl.SSLContext
    ) -> None:
        self._server = server
        self._patience = patience
        self._long_waits = long_waits
        self._tls_context = tls_context
        self._client: SMTP | None = None
        self._used_at = 0.0
        self._sent = 0

    async def send(self, mail: Mail) -> None:
        """Return once the server has accepted `mail`. Raises NotSent, at the latest when its patience is over."""
        try:
            await self._deliver(mail)
        except NotSent:
            self._drop()
            raise
        except Exception as error:
            self._drop()
            raise verdict_on(error) from error
        except BaseException:
            self._drop()
            raise
        self._used_at, self._sent = monotonic(), self._sent + 1

    def cut(self) -> None:
        """End the dialogue at hand, whose `send` raises NotSent: of a mail that was handed over nobody knows more."""
        protocol = self._client.protocol if self._client else None
        if protocol is not None and isinstance(protocol.transport, asyncio.WriteTransport):
            protocol.transport.abort()

    async def close(self) -> None:
        """Say goodbye, briefly."""
        if client := self._client:
            try:
                async with asyncio.timeout(1):
                    await client.quit()
            except (SMTPException, OSError):
                pass
            finally:
                self._drop()

    async def _deliver(self, mail: Mail) -> None:
        client = await self._begun(mail)
        await client.rcpt(mail.recipient.spec, encoding="utf-8" if mail.needs_smtputf8 else "ascii")
        await self._hand_over(client, mail.content)

    async def _hand_over(self, client: SMTP, content: bytes) -> None:
        """Send the mail itself. aiosmtplib's `data` has one time-out for the beginning and the end."""
        begun = await client.execute_command(b"DATA", timeout=self._patience.data)
        if begun.code != SMTPStatus.start_input or client.protocol is None:
            raise SMTPDataError(begun.code, begun.message)
        client.protocol.write(_dotted(content))
        try:
            reply = await self._reply_to_the_end(client.protocol)
        except (SMTPException, OSError) as error:
            raise NotSent(Verdict.UNKNOWN, f"handed over, and no reply: {error}") from error
        if reply.code != SMTPStatus.completed:
            raise SMTPDataError(reply.code, reply.message)

    async def _reply_to_the_end(self, protocol: SMTPProtocol) -> SMTPResponse:
        try:
            return await protocol.read_response(timeout=self._patience.usual)
        except SMTPReadTimeoutError:
            with self._long_waits.one():
                return await protocol.read_response(timeout=self._patience.end - self._patience.usual)

    async def _begun(self, mail: Mail) -> SMTP:
        """Return a connection that accepted MAIL FROM. One that died while idle is replaced: no mail was in it."""
        reused = await self._reusable()
        if reused is not None:
            try:
                await _mail_from(reused, mail)
            except (SMTPServerDisconnected, ConnectionError):
                self._drop()
            else:
                return reused
        client = await self._connected()
        await _mail_from(client, mail)
        return client

    async def _reusable(self) -> SMTP | None:
        client = self._client
        young = monotonic() - self._used_at < IDLE_SECONDS and self._sent < MAILS_PER_CONNECTION
        if client is not None and not (young and client.is_connected):
            await self.close()
        return self._client

    async def _connected(self) -> SMTP:
        client = SMTP(timeout=self._patience.command, local_hostname=socket.gethostname(), **self._options())
        try:
            await self._connect(client)
            await client.ehlo()
        except (SMTPException, OSError, ValueError) as error:
            client.close()
            raise NotSent(Verdict.PAUSE, f"no connection: {error}", code=getattr(error, "code", None)) from error
        self._client, self._sent = client, 0
        return client

    async def _connect(self, client: SMTP) -> None:
        """Connect, greet and log in. A host that is silent is known as such long before its greeting would be late."""
        connecting = asyncio.ensure_future(client.connect())
        try:
            await asyncio.wait({connecting}, timeout=min(CONNECT_SECONDS, self._patience.command))
            if not connecting.done() and client.transport is None:
                raise TimeoutError("the host does not answer")
            await connecting
        finally:
            connecting.cancel()

    def _options(self) -> dict[str, Any]:
        return {
            "hostname": self._server.hostname,
            "port": self._server.port,
            "username": self._server.username,
            "password": self._server.password,
            "use_tls": self._server.use_tls,
            "start_tls": self._server.start_tls,
            "tls_context": self._tls_context,
        }

    def _drop(self) -> None:
        if self._client:
            self._client.close()
        self._client = None


def _dotted(content: bytes) -> bytes:
    """Return the lines of a mail, which end in CRLF, as DATA has them: RFC 5321 §4.5.2."""
    return LINE_WITH_DOT.sub(b"..", content) + b".\r\n"


async def _mail_from(client: SMTP, mail: Mail) -> None:
    if not mail.needs_smtputf8:
        await client.mail(mail.sender.spec)
        return
    if not client.supports_extension("smtputf8"):
        raise SMTPNotSupported("the mail server takes no international addresses (SMTPUTF8)")
    await client.mail(mail.sender.spec, options=["SMTPUTF8", "BODY=8BITMIME"], encoding="utf-8")
