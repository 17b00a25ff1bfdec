"""Who runs a command."""

from getpass import getuser


def operator() -> str:
    """Return `operator:` and the name of the system's user; in a container often nobody has one."""
    try:
        return f"operator:{getuser()}"
    except (KeyError, OSError):
        return "operator:unknown"
