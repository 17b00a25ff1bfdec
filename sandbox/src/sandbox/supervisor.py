"""The process that owns a stack started by `make up`: whatever ends it, its children end too.

It tells its starter how the start goes, in lines of JSON on its standard output, and gives up when the starter
goes away before the stack is ready.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
import threading
from collections.abc import Collection, Sequence
from typing import Final

from sandbox.processes import PREFERRED_PORTS, Service
from sandbox.record import record_of
from sandbox.stack import EmbeddedStack
from sandbox.state_files import StateFiles

_STDIN, _STDOUT = 0, 1
WATCH_SECONDS: Final = 1.0


async def supervise(files: StateFiles, *, services: Sequence[Service], without: Collection[str]) -> int:
    """Start the stack, say so, and stop it at SIGTERM or SIGINT. The exit code."""
    stop = _stop_event()
    stack = EmbeddedStack(
        services=services,
        without=without,
        directory=files.directory,
        preferred_ports=PREFERRED_PORTS,
        report=lambda name, text: _tell(name=name, text=text),
        on_spawn=lambda: _note(stack, files),
    )
    starter = StarterWatch(stop)
    if not await _started(stack, stop):
        files.forget()
        return 1
    starter.dismiss()
    stack.describe().write(files.stack)
    _tell(ready=True)
    await _keep_running(stack, files, stop)
    files.stack.unlink(missing_ok=True)
    await stack.down()
    files.forget()
    return 0


async def _keep_running(stack: EmbeddedStack, files: StateFiles, stop: asyncio.Event) -> None:
    """Until we are to stop: a service that ended is started again, and the supervisor's log says so."""
    while not stop.is_set():
        for name in await stack.restart_ended():
            print(
                f"{name} had ended, and was started again; see {stack.processes[name].log}", file=sys.stderr, flush=True
            )
            stack.describe().write(files.stack)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(WATCH_SECONDS):
                await stop.wait()


async def _started(stack: EmbeddedStack, stop: asyncio.Event) -> bool:
    """Return False when it could not start, which its starter knows then, or must not any more."""
    start, stopped = asyncio.create_task(stack.up()), asyncio.create_task(stop.wait())
    await asyncio.wait({start, stopped}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if not start.done():
        start.cancel()
    try:
        await start
    except asyncio.CancelledError:
        return False
    except Exception as error:
        _tell(failed=f"{error}" or repr(error))
        return False
    return True


def _stop_event() -> asyncio.Event:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for what in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(what, stop.set)
    return stop


class StarterWatch:
    """Sets `stop` when the process that started us ends, which ends our standard input, until it is dismissed."""

    def __init__(self, stop: asyncio.Event) -> None:
        self._stop = stop
        self._loop = asyncio.get_running_loop()
        self._dismissed = False
        threading.Thread(target=self._watch, daemon=True).start()

    def dismiss(self) -> None:
        self._dismissed = True

    def _watch(self) -> None:
        while os.read(_STDIN, 1):
            pass
        with contextlib.suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._left)

    def _left(self) -> None:
        if not self._dismissed:
            self._stop.set()


def _note(stack: EmbeddedStack, files: StateFiles) -> None:
    pids = {name: process.pid for name, process in stack.processes.items() if process.pid}
    record_of(pids, stack.infrastructure.temporary_directories).write(files.processes)


def _tell(**message: object) -> None:
    """To our starter, if it still listens."""
    with contextlib.suppress(BrokenPipeError):
        os.write(_STDOUT, json.dumps(message).encode() + b"\n")


def run(files: StateFiles, *, services: Sequence[Service], without: Collection[str]) -> int:
    """Run the supervisor: at most one for a directory."""
    with files.lock() as mine:
        if not mine:
            _tell(failed=f"another stack is running in {files.directory}")
            return 1
        try:
            return asyncio.run(supervise(files, services=services, without=without))
        except KeyboardInterrupt:
            return 130
        finally:
            sys.stderr.flush()
