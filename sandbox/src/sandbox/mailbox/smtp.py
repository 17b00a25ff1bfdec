"""The SMTP side: accepts every mail, save where a fault is asked for."""

import asyncio
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from sandbox.mailbox.faults import Faults
from sandbox.mailbox.mails import Mails


class SmtpServer:
    """Listens on one port, which stays its own while it is down."""

    def __init__(self, mails: Mails, *, host: str, port: int) -> None:
        self.faults = Faults()
        self._mails = mails
        self._host = host
        self._port = port
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Transport] = set()

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self, self._open), self._host, self._port)

    def stop(self) -> None:
        """Close the port and every connection."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for transport in self._open.copy():
            transport.abort()

    async def behave(self, faults: Faults) -> None:
        """Do these faults from now on, and no others."""
        self.faults = faults
        if faults.down:
            self.stop()
        elif self._server is None:
            await self.start()

    async def handle_RCPT(  # noqa: N802 - aiosmtpd looks for this name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address in self.faults.ignore:
            await asyncio.Event().wait()
        if refusal := self.faults.answer_for(address):
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        raw = envelope.original_content or b""
        self._mails.keep(raw=raw, sender=envelope.mail_from or "", recipients=list(envelope.rcpt_tos))
        if self.faults.keeps_silent(envelope.rcpt_tos):
            await asyncio.Event().wait()
        await asyncio.sleep(self.faults.answer_after)
        return "250 2.0.0 Accepted"


class _Connection(SMTP):
    """One client, known while it is connected."""

    def __init__(self, handler: SmtpServer, known: set[asyncio.Transport]) -> None:
        super().__init__(handler, enable_SMTPUTF8=True, ident="Quittance mail box", hostname="localhost")
        self._known = known

    def connection_made(self, transport: Any) -> None:
        self._known.add(transport)
        self._mine = transport
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._known.discard(self._mine)
        super().connection_lost(error)
