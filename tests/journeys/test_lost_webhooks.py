"""Every webhook is lost, and one command compares all with Stripe: the books agree, and the mails are sent."""

import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from sandbox.driver import TEAM, Driver
from sandbox.plan_reconciliation_check import plan_disagreements
from sandbox.stack import EmbeddedStack
from tests.journeys.test_plan import given_a_subscriber, stands

ROOT: Final = Path(__file__).parents[2]


def sweep(stack: EmbeddedStack) -> str:
    """As an operator runs it."""
    command = [sys.executable, "-m", "purchases", "sweep", "--since", "36d"]
    done = subprocess.run(
        command,
        env=stack.settings_for("purchases-worker"),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return done.stdout


@pytest.mark.unrecorded("what its worker finds meanwhile by itself")
async def test_what_no_webhook_brought_is_in_the_books_after_one_command(driver: Driver, stack: EmbeddedStack) -> None:
    """Given a subscriber whose renewal fails, a refund of the Dashboard and a lost dispute, and not one webhook."""
    owing, card, renewed = await given_a_subscriber(driver)
    addon = await driver.given_an_addon()
    refunded, disputed = [await driver.given_a_workspace() for _ in range(2)]
    sold: list[Any] = [(await driver.buy(shop, addon)).json() for shop in (refunded, disputed)]
    await driver.settle()
    await driver.stripe.drop_webhooks()
    await driver.stripe.change_card(card, "chargeCustomerFail")
    await driver.stripe.renew(renewed)
    back, lost = [await driver.record(one["id"]) for one in sold]
    await driver.stripe.refund_as_dashboard(invoice=back["stripe_invoice_id"], amount=10_000)
    dispute = await driver.stripe.open_dispute(invoice=lost["stripe_invoice_id"])
    await driver.stripe.close_dispute(dispute["id"], status="lost")

    sweep(stack)
    await driver.settle()

    assert await stands(driver, owing) == ("builder", "past_due", True)
    assert [mail["Subject"] for mail in await driver.mails_to(owing.owner_email)] == [
        "Payment failed: €9.00 for the Builder plan of Acme"
    ]
    assert (await driver.purchase(disputed, sold[1]["id"]))["status"] == "refunded"
    assert len(await driver.mails_about(refunded, to=refunded.owner_email)) == 1
    assert [mail for mail in await driver.mails_about(disputed, to=TEAM) if "Dispute closed (lost)" in mail["Subject"]]
    assert await plan_disagreements(driver, {shop.workspace_id for shop in driver.shops}) == []
    assert "nothing was missed" in sweep(stack)
