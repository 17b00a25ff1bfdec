"""Ports on the loopback interface: which are free, and which one to take."""

import atexit
import random
import socket
from collections import deque
from typing import Final

LOOPBACK: Final = "127.0.0.1"
KEEP_ALIVE_SECONDS: Final = 75
"""Longer than httpx keeps a connection (5 s, which is uvicorn's default, too): none is closed as a request is sent."""
_BELOW_EPHEMERAL: Final = range(20_000, 32_000)
_HELD: Final = 512

_reservations: deque[socket.socket] = deque()


def is_listening(port: int) -> bool:
    """Return whether somebody accepts connections on `port`."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((LOOPBACK, port)) == 0


def is_free(port: int) -> bool:
    """Return whether a server could listen on `port` now; a port in TIME_WAIT counts as free."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return not is_listening(port)


def free_port() -> int:
    """Find a port that nobody has or is given, outside the range that outgoing connections are given.

    A port is taken some seconds after it was chosen, and many are chosen at the same time: for the parts of one stack,
    and by the processes of a test run. So whoever chooses one holds the UDP port of the same number, which nothing here
    listens on, until its process ends or has chosen `_HELD` more.
    """
    while True:
        port = random.choice(_BELOW_EPHEMERAL)  # noqa: S311 - no secret
        if _reserve(port):
            if is_free(port):
                return port
            _reservations.pop().close()


def choose(preferred: int | None) -> int:
    """Return `preferred` where it is free, else any free port."""
    return preferred if preferred is not None and is_free(preferred) else free_port()


def _reserve(port: int) -> bool:
    reservation = socket.socket(type=socket.SOCK_DGRAM)
    try:
        reservation.bind((LOOPBACK, port))
    except OSError:
        reservation.close()
        return False
    _reservations.append(reservation)
    if len(_reservations) > _HELD:
        _reservations.popleft().close()
    return True


@atexit.register
def _release() -> None:
    while _reservations:
        _reservations.pop().close()
