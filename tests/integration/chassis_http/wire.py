"""Bytes over a socket, as no HTTP client would send them, and what the server says to them."""

import asyncio
import re
from collections.abc import Iterable
from contextlib import suppress

from tests.integration.chassis_http.conftest import Service

HEAD = b"GET /v1/orders HTTP/1.1\r\nHost: x\r\n"


async def exchange(port: int, parts: Iterable[bytes], *, pause: float = 0) -> bytes:
    """All that the server says until it closes, or is silent for a second after it has begun."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)
        return await _read(reader)
    except ConnectionError:
        return await _read(reader)
    finally:
        writer.close()


async def _read(reader: asyncio.StreamReader) -> bytes:
    said = b""
    with suppress(TimeoutError, ConnectionError):
        while part := await asyncio.wait_for(reader.read(65536), timeout=1 if said else 10):
            said += part
    return said


def statuses(said: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3})", said)]


async def still_serves(service: Service) -> bool:
    return (await service.client.get("/v1/orders")).status_code == 200


async def cut_off(port: int, head: bytes, part: bytes) -> bool:
    """Whether the server ends a connection on which `part` is sent again and again."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head)
    try:
        async with asyncio.timeout(3):
            while not reader.at_eof():
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(0.002)
                with suppress(TimeoutError):
                    await asyncio.wait_for(reader.read(65536), 0.001)
    except TimeoutError:
        return False
    except ConnectionError:
        return True
    finally:
        writer.close()
    return True
