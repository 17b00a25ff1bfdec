"""`python -m tests.bench [gateway|worker|latency|catalog|tracing|demo|all]`: measures; writes `.stack/bench.json`."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import fields
from typing import Final

from sandbox import places
from tests.bench import catalog, demo, gateway, latency, report, tracing, worker
from tests.bench.figures import Figure
from tests.bench.options import Options

MEASURES: Final[Mapping[str, Callable[[Options], Awaitable[Sequence[Figure]]]]] = {
    "gateway": gateway.measure,
    "worker": worker.measure,
    "latency": latency.measure,
    "catalog": catalog.measure,
    "tracing": tracing.measure,
    "demo": demo.measure,
}
ALL: Final = ("gateway", "worker", "latency", "catalog", "tracing")
"""What is measured unless somebody asks for one of them: everything but the demo."""


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("what", nargs="?", default="all", choices=(*MEASURES, "all"))
    for field in fields(Options):
        name = f"--{field.name.replace('_', '-')}"
        if field.name == "cold":
            parser.add_argument(name, action="store_true")
        else:
            parser.add_argument(name, type=type(field.default), default=field.default)
    given = vars(parser.parse_args())
    what = given.pop("what")
    # As on Ctrl-C: what was started is stopped on the way out.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    measured = asyncio.run(_measure(ALL if what == "all" else (what,), Options(**given)))
    print("\n" + report.table([figure for figures in measured.values() for figure in figures]))
    print(f"\nwritten to {report.write(measured).relative_to(places.state().parent)}")


async def _measure(names: Sequence[str], options: Options) -> dict[str, Sequence[Figure]]:
    measured = {}
    for name in names:
        print(f"{name}:", flush=True)
        measured[name] = await MEASURES[name](options)
    return measured


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
