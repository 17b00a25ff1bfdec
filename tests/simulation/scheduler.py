"""A scheduler that a seed decides: one actor runs at a time, from one point of the money path to the next.

Points lie before and after each transaction and each call to Stripe. A death there is what `kill -9` is anywhere: in a
transaction it undoes it, in a call nobody knows. What runs between two points runs alone: a seed replays.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

STEP_SECONDS: Final = 30
"""Longer than anything takes between two points; who reaches none by then waits for a lock that a stopped actor has."""


class Killed(BaseException):
    """The process that the actor stood for is gone: nothing of it may run any more."""


@dataclass(eq=False)
class Actor:
    """One process that does one thing."""

    name: str
    task: asyncio.Task[Any] | None = None
    waiting: asyncio.Future[None] | None = None
    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    dead: bool = False
    in_transaction: bool = False


ACTOR: Final[ContextVar[Actor | None]] = ContextVar("actor", default=None)


async def point(name: str) -> None:
    """Let the scheduler decide who goes on. Does nothing outside of a simulation; raises Killed in a dead actor."""
    actor = ACTOR.get()
    if actor is None:
        return
    if actor.dead:
        raise Killed(actor.name)
    actor.waiting = asyncio.get_running_loop().create_future()
    actor.stopped.set()
    TRACE.get().append(f"{actor.name}: {name}")
    await actor.waiting


TRACE: Final[ContextVar[list[str]]] = ContextVar("trace")
"""What happened in this seed, in order: printed where it fails."""


@dataclass(kw_only=True)
class Scheduler:
    """Runs actors by turns. `crash` is how likely one that is chosen dies instead."""

    random: Random
    after_step: Callable[[], Awaitable[None]]
    crash: float
    running: list[Actor] = field(default_factory=list)
    dead: list[Actor] = field(default_factory=list)
    started: int = 0

    def start(self, name: str, doing: Callable[[], Awaitable[None]]) -> None:
        """Add an actor; it does nothing before it is chosen."""
        self.started += 1
        actor = Actor(f"{name}#{self.started}")
        context = copy_context()
        context.run(ACTOR.set, actor)
        actor.task = context.run(asyncio.create_task, _from_the_first_point(doing), name=actor.name)
        actor.task.add_done_callback(lambda _: actor.stopped.set())
        self.running.append(actor)

    async def step(self) -> None:
        """Let one of them go on to its next point, or die where it stands."""
        actor = self.random.choice(self.running)
        await self._until_it_stops(actor)
        if actor.waiting is not None and self.random.random() < self.crash:
            TRACE.get().append(f"{actor.name}: killed")
            actor.dead = True
            self.dead.append(actor)
            self.running.remove(actor)
            return
        await self._go_on(actor)
        await self.after_step()

    async def _go_on(self, actor: Actor) -> None:
        waiting, actor.waiting = actor.waiting, None
        if waiting is not None:
            actor.stopped.clear()
            waiting.set_result(None)
            await self._until_it_stops(actor)
        assert actor.task is not None
        if actor.task.done():
            self.running.remove(actor)
            actor.task.result()

    async def _until_it_stops(self, actor: Actor) -> None:
        async with asyncio.timeout(STEP_SECONDS):
            await actor.stopped.wait()

    async def bury(self) -> None:
        """End the tasks of the dead, which may not do anything on their way out."""
        tasks = [actor.task for actor in (*self.dead, *self.running) if actor.task is not None]
        for actor in self.running:
            actor.dead = True
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _from_the_first_point(doing: Callable[[], Awaitable[None]]) -> None:
    await point("begins")
    await doing()
