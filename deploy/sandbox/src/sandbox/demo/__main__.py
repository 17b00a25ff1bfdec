"""`python -m sandbox.demo`: start everything, play the acts, print what happened, check that the books agree, stop."""

import asyncio
import contextlib
import signal
import sys
import time

from sandbox.demo.acts import Stage, play, replay
from sandbox.demo.table import show
from sandbox.process import ProcessDied
from sandbox.progress import Progress
from sandbox.reckoning import disagreements
from sandbox.scene import NeverHappened, Scene
from sandbox.stack import EmbeddedStack


async def demo() -> int:
    """The exit code: 0 only if the ledger, the facts, Stripe's money and the mails agree."""
    began = time.monotonic()
    with Progress() as report:
        stack = EmbeddedStack(report=report)
        await stack.up()
    started = time.monotonic()
    try:
        print(f"\nEverything runs after {started - began:.0f} s. Playing the main job …", flush=True)
        async with Scene(stack.describe()) as scene:
            faults = await _perform(scene)
    finally:
        await stack.down()
    print(f"\n{time.monotonic() - began:.0f} s in all, {time.monotonic() - started:.0f} s of it the job itself.")
    for fault in faults:
        print(f"DISAGREES: {fault}", file=sys.stderr)
    return 1 if faults else 0


async def _perform(scene: Scene) -> list[str]:
    """Every webhook is signed, delivered twice, and out of order."""
    await scene.stripe.duplicate_webhooks(copies=2)
    await scene.stripe.reorder_webhooks(seconds=0.2)
    name = "Professional AI Setup, guided"
    stage = Stage(scene, await scene.given_an_addon(name=name, price="499.00", currency="EUR"))
    seen = await play(stage)
    await scene.settle()
    faults = [
        f"{one.what}: {record['status']}, not {one.expected}"
        for one in seen
        if (record := await scene.record(one.purchase_id))["status"] != one.expected
    ]
    before = await scene.witness.everything()
    replayed = await replay(scene)
    after = await scene.witness.everything()
    if before != after:
        faults.append("the replay changed something")
    await show(scene, seen, replayed=replayed)
    return faults + await disagreements(scene)


def main() -> int:
    """Ctrl-C and SIGTERM stop everything that was started."""
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
