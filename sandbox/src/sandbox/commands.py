"""What `make up`, `make down` and `python -m sandbox status` do."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from types import FrameType

from sandbox.description import Description
from sandbox.first_workspace import register_first_workspace
from sandbox.process import last_lines
from sandbox.processes import python
from sandbox.progress import Progress
from sandbox.record import Record
from sandbox.state_files import StateFiles

_STOPPED_WITHIN_S = 40


def up(files: StateFiles, supervise: Sequence[str]) -> int:
    """Start a stack and leave it running. One that runs already is left as it is; half of one is ended first."""
    running = files.description()
    if running and is_whole(files):
        print("The stack is already running.")
        show(running)
        return 0
    if running is None and _is_locked(files):
        print(f"Another command is starting or stopping the stack in {files.directory}.", file=sys.stderr)
        return 1
    if files.record().everybody():
        _end(files)
    files.make_room()
    return _start(files, supervise)


def down(files: StateFiles) -> int:
    """End exactly the processes that a stack of ours has started."""
    record = files.record()
    if not any(process.alive() for process in record.everybody()):
        print("No stack is running.")
    else:
        print("Stopping the stack …", flush=True)
    _end(files)
    return 0


def status(files: StateFiles) -> int:
    """0 when all of it runs, 1 when nothing does, 2 when some of it does."""
    record = files.record()
    for process in record.everybody():
        print(f"{process.name:18} {process.pid:>8}  {'running' if process.alive() else 'ENDED'}")
    description = files.description()
    if description and is_whole(files):
        show(description)
        return 0
    if any(process.alive() for process in record.everybody()):
        return 2
    print("No stack is running.")
    return 1


def is_whole(files: StateFiles) -> bool:
    everybody = files.record().everybody()
    return bool(everybody) and all(process.alive() for process in everybody)


def show(stack: Description) -> None:
    """Print the addresses, for people."""
    rows = {
        "Pages": stack.pages_url,
        "Catalog API": f"{stack.catalog_url}/docs",
        "Purchases API": f"{stack.purchases_url}/docs",
        "Stripe webhooks": f"{stack.gateway_url}/billing/webhook",
        "Stripe sandbox": stack.stripe_url,
        "Mail box": stack.mailbox_url,
        "Tokens": f"{stack.issuer_url}/token",
        "Kafka": f"{stack.kafka_bootstrap_servers} ({stack.broker})",
        **{f"PostgreSQL, {name}": url for name, url in stack.database_urls.items()},
    }
    for name, address in rows.items():
        print(f"{name:22} {address}")


def _start(files: StateFiles, supervise: Sequence[str]) -> int:
    with files.supervisor_log.open("wb") as log:
        supervisor = subprocess.Popen(
            python("sandbox", "supervise", *supervise),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
            text=True,
            env={**os.environ, "SANDBOX_STATE": str(files.directory)},
        )
    try:
        with _interruptible():
            failure = _follow(supervisor)
    except KeyboardInterrupt:
        print("Interrupted: stopping what was started …", flush=True)
        supervisor.terminate()
        supervisor.wait(_STOPPED_WITHIN_S)
        return 130
    if failure is not None:
        supervisor.wait(_STOPPED_WITHIN_S)
        reason = failure or last_lines(files.supervisor_log, "supervisor") or "It was stopped by somebody else."
        print(f"The stack did not start.\n{reason}", file=sys.stderr)
        return 1
    if description := files.description():
        register_first_workspace(description)
        show(description)
    return 0


def _follow(supervisor: "subprocess.Popen[str]") -> str | None:
    """Show how it goes until it is ready: None, or why it failed (empty where it did not say)."""
    with Progress() as report:
        for line in supervisor.stdout or ():
            message = json.loads(line)
            if "name" in message:
                report(message["name"], message["text"])
            elif "failed" in message:
                return str(message["failed"])
            else:
                return None
    return ""


def _end(files: StateFiles) -> None:
    """End the supervisor first, which ends its children; then whoever is left."""
    record = files.record()
    if record.supervisor:
        record.supervisor.send(signal.SIGTERM)
        _wait(Record(record.supervisor), _STOPPED_WITHIN_S)
    for process in record.everybody():
        process.send(signal.SIGKILL)
    _wait(record, 5)
    record.remove_directories()
    files.forget()


def _wait(record: Record, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while any(process.alive() for process in record.everybody()) and time.monotonic() < deadline:
        time.sleep(0.05)


def _is_locked(files: StateFiles) -> bool:
    with files.lock() as mine:
        return not mine


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """SIGTERM and a closed terminal are treated as Ctrl-C."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {what: signal.signal(what, interrupt) for what in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for what, handler in before.items():
            signal.signal(what, handler)
