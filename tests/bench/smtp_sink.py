"""A mail server that keeps nothing but when each message came: `MESSAGE-ID<tab>UNIX-TIME` lines in a file.

`python -m tests.bench.smtp_sink --port PORT --file FILE`
"""

import argparse
import asyncio
import re
import time
from pathlib import Path
from typing import Final, TextIO

import uvloop

MESSAGE_ID: Final = re.compile(rb"^message-id: *<([^>@]*)", re.IGNORECASE | re.MULTILINE)
REPLIES: Final = {b"EHLO": b"250-bench\r\n250 8BITMIME\r\n", b"QUIT": b"221 bye\r\n"}
OK: Final = b"250 ok\r\n"


async def serve(port: int, file: Path) -> None:
    """Until cancelled."""
    with file.open("w", buffering=1) as out:
        server = await asyncio.start_server(lambda reader, writer: _talk(reader, writer, out), "127.0.0.1", port)
        async with server:
            await server.serve_forever()


async def _talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, out: TextIO) -> None:
    writer.write(b"220 bench ESMTP\r\n")
    while line := await reader.readline():
        verb = line[:4].upper()
        if verb == b"DATA":
            writer.write(b"354 go on\r\n")
            message = await reader.readuntil(b"\r\n.\r\n")
            _note(message, time.time(), out)
        writer.write(REPLIES.get(verb, OK))
        if verb == b"QUIT":
            break
    writer.close()


def _note(message: bytes, at: float, out: TextIO) -> None:
    found = MESSAGE_ID.search(message)
    out.write(f"{found[1].decode() if found else ''}\t{at:.6f}\n")


def main() -> None:
    """Serve until it is stopped."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--file", type=Path, required=True)
    given = parser.parse_args()
    uvloop.run(serve(given.port, given.file))


if __name__ == "__main__":
    main()
