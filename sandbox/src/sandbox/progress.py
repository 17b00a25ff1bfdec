"""How a long start tells people what it does: a live table on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Callable
from typing import TextIO

from rich.console import Console
from rich.live import Live
from rich.table import Table

Report = Callable[[str, str], None]
"""Called with the name of a part and what it is doing now."""


def silent(_name: str, _text: str) -> None:
    """For tests."""


class Progress:
    """Used as a context manager; the object itself is the `Report`."""

    def __init__(self, out: TextIO = sys.stdout) -> None:
        self._out = out
        self._began = time.monotonic()
        self._states: dict[str, str] = {}
        self._live: Live | None = None

    def __enter__(self) -> "Progress":
        if self._out.isatty():
            self._live = Live(console=Console(file=self._out), refresh_per_second=8)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def __call__(self, name: str, text: str) -> None:
        self._states[name] = text
        if self._live is not None:
            self._live.update(self._table())
        else:
            print(f"{time.monotonic() - self._began:5.1f} s  {name}: {text}", file=self._out, flush=True)

    def _table(self) -> Table:
        table = Table(box=None, show_header=False, pad_edge=False)
        for name, text in self._states.items():
            mark = "[green]✓[/]" if text.startswith(("ready", "done")) else "[yellow]…[/]"
            table.add_row(mark, name, f"[dim]{text}[/]")
        return table
