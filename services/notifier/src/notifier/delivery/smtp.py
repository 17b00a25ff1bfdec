"""The SMTP dialogue over a few connections that are kept open, and VERDICTS: what an error means for the mail."""

import asyncio
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
    SMTPRecipientRefused,
    SMTPSenderRefused,
    SMTPServerDisconnected,
    SMTPTimeoutError,
)

from notifier.delivery.messages import Mail
from notifier.delivery.smtp_url import SmtpServer

IDLE_SECONDS: Final = 10.0
"""After this long a connection is opened anew: firewalls and servers drop silent ones without a word."""
MAILS_PER_CONNECTION: Final = 100
CONNECT_SECONDS: Final = 10.0


class Verdict(Enum):
    """What becomes of a mail that the server did not take."""

    PAUSE = "paused"
    """The server takes nobody's mail now: all of them wait."""
    DEFER = "deferred"
    """Not this one, not now; or nobody knows, and the same Message-ID is sent again."""
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
"""Once the connection stands. Before, every error means PAUSE: host, TLS, greeting and login are the server's."""

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

    def __init__(self, server: SmtpServer, *, timeout: float, tls_context: ssl.SSLContext) -> None:
        self._server = server
        self._timeout = timeout
        self._tls_context = tls_context
        self._client: SMTP | None = None
        self._used_at = 0.0
        self._sent = 0

    async def send(self, mail: Mail) -> None:
        """Return once the server has accepted `mail`. Raises NotSent, at the latest after the timeout."""
        try:
            async with asyncio.timeout(self._timeout):
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
        await client.data(mail.content)

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
        client = SMTP(timeout=self._timeout, local_hostname=socket.gethostname(), **self._options())
        try:
            # Shorter than the whole, so that a silent host is known as such and not as one mail's bad luck.
            async with asyncio.timeout(min(CONNECT_SECONDS, self._timeout / 2)):
                await client.connect()
                await client.ehlo()
        except (SMTPException, OSError, ValueError) as error:
            client.close()
            raise NotSent(Verdict.PAUSE, f"no connection: {error}", code=getattr(error, "code", None)) from error
        self._client, self._sent = client, 0
        return client

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


async def _mail_from(client: SMTP, mail: Mail) -> None:
    if not mail.needs_smtputf8:
        await client.mail(mail.sender.spec)
        return
    if not client.supports_extension("smtputf8"):
        raise SMTPNotSupported("the mail server takes no international addresses (SMTPUTF8)")
    await client.mail(mail.sender.spec, options=["SMTPUTF8", "BODY=8BITMIME"], encoding="utf-8")
