"""Ports are chosen before they are taken, by many at the same time."""

import asyncio
import sys

from sandbox.ports import LOOPBACK, free_port, is_free

CHOOSING = """
from sandbox.ports import free_port
print(*(free_port() for _ in range(200)), flush=True)
input()
"""


async def test_nobody_is_given_a_port_that_somebody_else_was_given() -> None:
    """Two hundred of twelve thousand, in each of two processes: without reservations some would meet, nearly always."""
    pipe = asyncio.subprocess.PIPE
    # given two processes, and nobody listens yet on what they chose
    choosing = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", CHOOSING, stdin=pipe, stdout=pipe) for _ in range(2)
    ]
    theirs = [int(port) for process in choosing if process.stdout for port in (await process.stdout.readline()).split()]
    # when this one chooses, too
    ours = [free_port() for _ in range(200)]
    # then each port was chosen once
    assert len({*theirs, *ours}) == len(theirs) + len(ours) == 600
    for process in choosing:
        await process.communicate(b"\n")


async def test_a_chosen_port_can_be_listened_on() -> None:
    port = free_port()
    assert is_free(port)
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), LOOPBACK, port)
    async with server:
        assert not is_free(port)
