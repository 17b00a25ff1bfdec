"""Ports on the loopback interface: which are free, and which one to take."""

import random
import socket

_BELOW_EPHEMERAL = range(20_000, 30_000)
LOOPBACK = "127.0.0.1"


def is_listening(port: int) -> bool:
    """Whether somebody accepts connections on `port`."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((LOOPBACK, port)) == 0


def is_free(port: int) -> bool:
    """Whether a server could listen on `port` now; a port in TIME_WAIT counts as free."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return not is_listening(port)


def free_port() -> int:
    """A port that nobody has, outside the range that outgoing connections are given."""
    while not is_free(port := random.choice(_BELOW_EPHEMERAL)):  # noqa: S311 - no secret
        pass
    return port


def choose(preferred: int | None) -> int:
    """`preferred` where it is free, else any free port."""
    return preferred if preferred is not None and is_free(preferred) else free_port()
