"""`python -m sandbox.demo`: start everything, play the acts, print what happened, check that all reconciles, stop."""

import argparse
import asyncio
import contextlib
import signal
import sys
import time

from sandbox.demo.acts import play
from sandbox.demo.harness import Harness
from sandbox.demo.replay import replay
from sandbox.demo.table import show
from sandbox.driver import Driver, NeverHappened
from sandbox.process import ProcessDied
from sandbox.progress import Progress
from sandbox.reconciliation_check import disagreements
from sandbox.stack import EmbeddedStack


async def demo() -> int:
    """Return the exit code: 0 only if the ledger, the facts, Stripe's money and the mails agree."""
    began = time.monotonic()
    with Progress() as report:
        stack = EmbeddedStack(report=report)
        await stack.up()
    started = time.monotonic()
    try:
        print(f"\nEverything runs after {started - began:.0f} s. Playing the main job …", flush=True)
        async with Driver(stack.describe()) as driver:
            faults = await perform(driver)
    finally:
        await stack.down()
    print(f"\n{time.monotonic() - began:.0f} s in all, {time.monotonic() - started:.0f} s of it the job itself.")
    for fault in faults:
        print(f"DISAGREES: {fault}", file=sys.stderr)
    return 1 if faults else 0


async def perform(driver: Driver) -> list[str]:
    """Play, replay, print; what does not agree, in words. Every webhook is delivered twice, and out of order."""
    await driver.stripe.duplicate_webhooks(copies=2)
    await driver.stripe.reorder_webhooks(seconds=0.2)
    with Progress() as report:
        report("add-ons", "created and put on sale")
        setup = await driver.given_an_addon(name="Professional AI Setup, guided", price="499.00")
        harness = Harness(driver, setup, await driver.given_an_addon(name="Data import", price="149.00"))
        report("add-ons", "done")
        await play(harness, report)
        await driver.settle()
        report("every webhook once more", "replaying")
        changed = await replay(driver)
        report("every webhook once more", "done")
    await show(harness, changed=changed)
    return await harness.unexpected() + changed + await disagreements(driver)


def main() -> int:
    """Ctrl-C and SIGTERM stop everything that was started."""
    argparse.ArgumentParser(prog="python -m sandbox.demo", description=__doc__).parse_args()
    try:
        return asyncio.run(_interruptible())
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("\nInterrupted: everything that was started has been stopped.", file=sys.stderr)
        return 130
    except (ProcessDied, NeverHappened) as failure:
        print(f"\nThe demo failed.\n{failure}", file=sys.stderr)
        return 1


async def _interruptible() -> int:
    task = asyncio.current_task()
    if task is not None:
        for number in (signal.SIGTERM, signal.SIGHUP):
            with contextlib.suppress(NotImplementedError):
                asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    return await demo()


if __name__ == "__main__":
    sys.exit(main())
