"""Which of our files one `invoice.payment_succeeded` runs through, from HTTP to row to mail.

`python -m tests.bench.footprint` prints them, as measured in the running services; their loops are counted, too.
"""

import argparse
import asyncio
import json
import os
import signal
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from sandbox.driver import Driver
from sandbox.stack import EmbeddedStack
from tests.givens import given_a_pending_purchase

TRACED: Final = ("webhook-gateway", "purchases-worker", "notifier")
Seen = Mapping[str, Mapping[str, Any]]


async def measure(directory: Path) -> Seen:
    """By service, the files that ran and the deepest stack of our own frames, outermost last."""
    async with EmbeddedStack(directory=directory) as stack, Driver(stack.describe()) as driver:
        await asyncio.gather(*(stack.restart(name, _settings(directory, name)) for name in TRACED))
        shop, purchase = await given_a_pending_purchase(driver)
        await driver.settle()
        await driver.stripe.drop_webhooks()
        await driver.answer_bank(purchase["action_url"])
        (event,) = await driver.events_about(shop, "invoice.payment_succeeded")
        _signal(stack, signal.SIGUSR1)
        await driver.stripe.resend(event["id"])
        await driver.settle()
        _signal(stack, signal.SIGUSR2)
        await driver.until(lambda: _written(directory), "every process has written what it saw")
        assert (await driver.purchase(shop, purchase["id"]))["status"] == "paid"
    return {name: json.loads((directory / f"{name}.json").read_text()) for name in TRACED}


def _settings(directory: Path, name: str) -> dict[str, str]:
    traced = str(Path(__file__).with_name("traced"))
    return {"PYTHONPATH": traced, "FOOTPRINT": str(directory / f"{name}.json")}


def _signal(stack: EmbeddedStack, what: signal.Signals) -> None:
    for name in TRACED:
        os.kill(stack.processes[name].pid or 0, what)


async def _written(directory: Path) -> bool:
    return all((directory / f"{name}.json").exists() for name in TRACED)


def main() -> None:
    """Print the files. Exits with 2 for any word: there is nothing to choose."""
    argparse.ArgumentParser(prog="python -m tests.bench.footprint", description=__doc__).parse_args()
    with tempfile.TemporaryDirectory() as directory:
        seen = asyncio.run(measure(Path(directory)))
    files = sorted({file for one in seen.values() for file in one["files"]})
    print("\n".join(files))
    for name, one in seen.items():
        print(f"{name}: {len(one['files'])} files, {len(one['deepest'])} frames of ours at the deepest")
    print(f"{len(files)} files in all")


if __name__ == "__main__":
    main()
