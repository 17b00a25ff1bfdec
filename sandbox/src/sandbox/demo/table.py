"""What happened, as a table: one line per purchase, one per plan, then the mails, then the sums."""

import json
from collections.abc import Sequence
from itertools import groupby

from rich.console import Console
from rich.table import Table

from contracts import PURCHASE_EVENTS, WORKSPACE_EVENTS
from sandbox.demo.harness import Harness
from sandbox.driver import TEAM


async def show(harness: Harness, *, changed: Sequence[str]) -> None:
    """Print all of it, and what the replay of all webhooks `changed`."""
    console = Console(width=None if Console().is_terminal else 120)
    console.print()
    console.print(await _purchases(harness))
    console.print(await _plans(harness))
    console.print(await _mails(harness))
    await _sums(harness, console, changed)


async def _purchases(harness: Harness) -> Table:
    table = _table("What happened", "workspace", "what", "answer", "ledger", "facts on Kafka")
    facts = await harness.driver.inspector.facts(PURCHASE_EVENTS)
    for one in harness.sold:
        record = await harness.driver.record(one.purchase_id)
        published = [envelope.type.split(".")[-2] for envelope, _ in facts if envelope.subject == one.purchase_id]
        path = " → ".join(line["to_status"] for line in record["history"] if not line["stale"])
        table.add_row(one.shop.name, one.what, one.answer, path, ", ".join(published))
    return table


async def _plans(harness: Harness) -> Table:
    table = _table("The plan", "workspace", "what", "plan on Kafka", "subscription on Kafka", "projects in use")
    facts = [json.loads(value) for _, value in await harness.driver.inspector.facts(WORKSPACE_EVENTS)]
    for one in harness.subscribed:
        own = [fact for fact in facts if fact["workspace_id"] == one.shop.workspace_id]
        plans = [fact["previous_plan"] for fact in own if "previous_plan" in fact][:1] + [fact["plan"] for fact in own]
        statuses = [fact["status"] for fact in own if "status" in fact]
        table.add_row(one.shop.name, one.what, _path(plans), _path(statuses), one.usage)
    return table


def _path(steps: Sequence[str]) -> str:
    """Return each step once, in its order."""
    return " → ".join(step for step, _ in groupby(steps))


async def _mails(harness: Harness) -> Table:
    table = _table("Mails", "to", "subject")
    for address in (TEAM, *(shop.owner_email for shop in harness.driver.shops)):
        for mail in await harness.driver.mails_to(address):
            table.add_row(address, mail["Subject"])
    return table


async def _sums(harness: Harness, console: Console, changed: Sequence[str]) -> None:
    attempts = sum(one["attempts"] for one in await harness.driver.stripe.deliveries())
    for currency, sums in (await harness.driver.stripe.sums())["total"].items():
        captured, refunded = sums["captured"] / 100, sums["refunded"] / 100
        console.print(f"Stripe captured {captured:.2f} {currency.upper()} and refunded {refunded:.2f}.")
    events = len(await harness.driver.stripe.events())
    console.print(
        f"{attempts} signed webhooks were delivered, in duplicate and out of order; "
        f"replaying all {events} events once more changed {'something' if changed else 'nothing'}."
    )


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column == "to")
    return table
