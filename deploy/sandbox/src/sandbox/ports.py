"""Ports on the loopback interface: which are free, and which one to take."""

import os
import random
import socket

_BELOW_EPHEMERAL = "20000-30000"
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
    """A port that nobody has, outside the range that outgoing connections are given.

    A port is taken some seconds after it was chosen. Those who choose at the same time, such as the workers of a test
    run, are given ranges of their own: `SANDBOX_PORTS=20000-22500`.
    """
    first, _, end = os.environ.get("SANDBOX_PORTS", _BELOW_EPHEMERAL).partition("-")
    while not is_free(port := random.randrange(int(first), int(end))):  # noqa: S311 - no secret
        pass
    return port


def choose(preferred: int | None) -> int:
    """`preferred` where it is free, else any free port."""
    return preferred if preferred is not None and is_free(preferred) else free_port()
