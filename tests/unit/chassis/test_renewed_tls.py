"""A certificate that is renewed on the disk is the one of the next connection, without a restart."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography import x509

from chassis.kafka.kafka import tls_context
from chassis.process.settings import ServiceSettings
from tests.stack.authority import Authority


@asynccontextmanager
async def a_broker(ours: Authority, seen: list[int]) -> AsyncIterator[int]:
    """Ask for a certificate of `ours` and note its serial number; the port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(ours.cafile))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(ours.for_a_broker())

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        seen.append(x509.load_der_x509_certificate(shown).serial_number)
        writer.write(b"!")
        writer.close()

    server = await asyncio.start_server(meet, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def connect(port: int, context: ssl.SSLContext) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    assert await reader.read() == b"!"
    writer.close()


def settings(ours: Authority, certificate: Path, key: Path) -> ServiceSettings:
    return ServiceSettings(
        kafka_security_protocol="SSL",
        kafka_security_cafile=str(ours.cafile),
        kafka_security_certfile=str(certificate),
        kafka_security_keyfile=str(key),
    )


async def test_the_next_connection_shows_what_was_renewed(tmp_path: Path) -> None:
    ours, seen = Authority(tmp_path), list[int]()
    certificate, key = ours.signed("service")
    context = tls_context(settings(ours, certificate, key))
    async with a_broker(ours, seen) as port:
        await connect(port, context)
        ours.signed("service")
        await connect(port, context)
        await connect(port, context)

    renewed = x509.load_pem_x509_certificate(certificate.read_bytes()).serial_number
    assert seen[0] != renewed
    assert seen[1:] == [renewed, renewed]


async def test_half_a_file_changes_nothing(tmp_path: Path) -> None:
    ours, seen = Authority(tmp_path), list[int]()
    certificate, key = ours.signed("service")
    context = tls_context(settings(ours, certificate, key))
    async with a_broker(ours, seen) as port:
        await connect(port, context)
        certificate.write_bytes(certificate.read_bytes()[:100])
        await connect(port, context)

    assert len(set(seen)) == 1
    assert len(seen) == 2


async def test_a_broker_of_a_stranger_is_refused(tmp_path: Path) -> None:
    ours = Authority(tmp_path)
    (tmp_path / "strangers").mkdir()
    context = tls_context(settings(ours, *ours.signed("service")))
    async with a_broker(Authority(tmp_path / "strangers", "stranger"), []) as port:
        with pytest.raises(ssl.SSLCertVerificationError):
            await connect(port, context)
