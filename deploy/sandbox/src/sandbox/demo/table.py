"""What happened, as a table: one line per purchase, then the mails, then the sums."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from contracts import PURCHASE_EVENTS
from sandbox.demo.acts import Seen
from sandbox.scene import TEAM, Scene


async def show(scene: Scene, seen: Sequence[Seen], *, replayed: int) -> None:
    """Print all of it."""
    console = Console(width=None if Console().is_terminal else 120)
    console.print()
    console.print(await _purchases(scene, seen))
    console.print(await _mails(scene, seen))
    await _sums(scene, console, replayed=replayed)


async def _purchases(scene: Scene, seen: Sequence[Seen]) -> Table:
    table = Table(title="What happened", title_justify="left")
    for column in ("workspace", "what", "answer", "ledger", "facts on Kafka"):
        table.add_column(column, overflow="fold")
    facts = await scene.witness.facts(PURCHASE_EVENTS)
    for one in seen:
        record = await scene.record(one.purchase_id)
        told = [envelope.type.split(".")[-2] for envelope, _ in facts if envelope.subject == one.purchase_id]
        path = " → ".join(line["to_status"] for line in record["history"] if not line["stale"])
        table.add_row(record["workspace_id"], one.what, one.answer, path, ", ".join(told))
    return table


async def _mails(scene: Scene, seen: Sequence[Seen]) -> Table:
    table = Table(title="Mails", title_justify="left")
    table.add_column("to", no_wrap=True)
    table.add_column("subject", overflow="fold")
    for address in (TEAM, *(one.shop.owner_email for one in seen)):
        for mail in await scene.mails_to(address):
            table.add_row(address, mail["Subject"])
    return table


async def _sums(scene: Scene, console: Console, *, replayed: int) -> None:
    deliveries = await scene.stripe.deliveries()
    attempts = sum(one["attempts"] for one in deliveries)
    for currency, sums in (await scene.stripe.sums())["total"].items():
        captured, refunded = sums["captured"] / 100, sums["refunded"] / 100
        console.print(f"Stripe captured {captured:.2f} {currency.upper()} and refunded {refunded:.2f}.")
    console.print(
        f"{attempts} signed webhooks were delivered, in duplicate and out of order; "
        f"replaying all {replayed} events once more changed nothing."
    )
