"""Money goes back: sent by somebody in Stripe's Dashboard, or by staff here."""

from sandbox.demo.harness import Stage


async def in_the_dashboard(stage: Stage) -> None:
    """The ledger follows, and the owner is mailed."""
    shop = await stage.scene.given_a_workspace(name="Fjord")
    purchase_id = stage.bought(shop, await stage.scene.buy(shop, stage.addon), ends="refunded")
    record = await stage.scene.record(purchase_id)
    await stage.scene.stripe.refund_as_dashboard(invoice=record["stripe_invoice_id"])
    await stage.until(shop, purchase_id, "refunded")


async def cancelled_with_the_rest(stage: Stage) -> None:
    """A part is refunded, which leaves the purchase as it is; then it is cancelled, and what remains goes back too."""
    shop = await stage.scene.given_a_workspace(name="Grove")
    purchase_id = stage.bought(shop, await stage.scene.buy(shop, stage.addon), ends="cancelled")
    await stage.scene.move(purchase_id, "refund", amount_cents=10_000, reason="the kick-off call was late")
    await stage.refunded(purchase_id, cents=10_000)
    await stage.scene.move(purchase_id, "cancel", refund=True, reason="they chose another date")
    await stage.refunded(purchase_id, cents=stage.addon["price_cents"])
