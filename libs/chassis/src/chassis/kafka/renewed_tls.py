"""TLS to Kafka whose certificate may be renewed while the process runs."""

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chassis.process.logs import get_logger

log = get_logger(__name__)


class RenewedTls(ssl.SSLContext):
    """Checks the broker as `ssl.create_default_context` does, and shows the certificate as its file is now.

    A client of Kafka keeps its context for ever and connects anew by it: what was read once would end with its year.
    Files are read again where one has changed, before a connection is made. What cannot be read then (half written,
    say) is logged, and the connection is tried with what was read before.
    """

    def __new__(cls, *_: object) -> "RenewedTls":
        return super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)

    def __init__(
        self, cafile: str | None, certfile: str | None, keyfile: str | None, password: Callable[[], str]
    ) -> None:
        self._files = [Path(name) for name in (cafile, certfile, keyfile) if name]
        self._cafile, self._chain = cafile, (certfile, keyfile, password) if certfile else None
        if cafile is None:
            self.load_default_certs()
        self._read = self._changed()
        self._load()

    def wrap_bio(self, *given: Any, **named: Any) -> ssl.SSLObject:
        """Begin a connection, as asyncio does."""
        try:
            if (now := self._changed()) != self._read:
                self._load()
                self._read = now
                log.info("kafka_certificate_renewed")
        except OSError as error:
            log.warning("kafka_certificate_unread", error=repr(error)[:300])
        return super().wrap_bio(*given, **named)

    def _changed(self) -> list[int]:
        return [path.stat().st_mtime_ns for path in self._files]

    def _load(self) -> None:
        if self._cafile:
            self.load_verify_locations(self._cafile)
        if self._chain:
            self.load_cert_chain(*self._chain)
