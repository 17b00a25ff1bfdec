"""`python -m tests.stack.forking DIRECTORY`: has imported our programs, and forks a process for each line it reads.

A start is a second of a processor, nearly all of it imports; the suite starts some hundred processes. What is forked is
a process like any other: its own session, environment, log, exit status and death.
"""

import ctypes
import gc
import importlib
import json
import os
import runpy
import signal
import sys
from pathlib import Path
from typing import Any, Final

PROGRAMS: Final = {
    "catalog": ("catalog.main.service", "catalog.main.seed", "chassis.database.migrations", "catalog.main.doctor"),
    "purchases": ("purchases.main.api", "purchases.main.worker", "purchases.main.doctor"),
    "notifier": ("notifier.main.service", "notifier.main.doctor"),
    "webhook_gateway": ("webhook_gateway.main", "webhook_gateway.doctor"),
}
"""What is forked, and what is imported before."""
_PR_SET_PDEATHSIG: Final = 1
_prctl: Final = ctypes.CDLL(None).prctl


def serve(directory: Path) -> None:
    """Fork what each line asks for, answer with its pid, and write its exit status to a file of that name."""
    gc.disable()
    for module in (module for modules in PROGRAMS.values() for module in modules):
        importlib.import_module(module)
    gc.freeze()
    gc.enable()
    signal.signal(signal.SIGCHLD, lambda *_: _note_ended(directory))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the tests, whose teardown needs what was forked
    for line in sys.stdin:
        wanted = json.loads(line)
        ready, started = os.pipe()
        if (pid := os.fork()) == 0:
            os.close(ready)
            _become(wanted, started)
            return
        os.close(started)
        os.read(ready, 1)
        os.close(ready)
        print(pid, flush=True)


def _note_ended(directory: Path) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        being_written = directory / f"{pid}.new"
        being_written.write_text(str(os.waitstatus_to_exitcode(status)))
        being_written.rename(directory / str(pid))


def _become(wanted: dict[str, Any], started: int) -> None:
    """Be the process that was asked for; it ends where this returns."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.setsid()
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    for number, path, flags in ((0, os.devnull, os.O_RDONLY), (1, wanted["log"], os.O_WRONLY | os.O_APPEND)):
        opened = os.open(path, flags)
        os.dup2(opened, number)
        os.close(opened)
    os.dup2(1, 2)
    os.environ.clear()
    os.environ.update(wanted["env"])
    if wanted["cwd"]:
        os.chdir(wanted["cwd"])
    os.write(started, b"\n")
    os.close(started)
    module, *words = wanted["words"]
    sys.argv = [module, *words]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
