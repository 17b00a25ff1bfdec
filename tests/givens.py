"""Where most journeys begin: a purchase that is paid, or one that waits for its buyer at the bank."""

from typing import Any, Final

from sandbox.driver import Driver
from sandbox.shop import Shop

Json = dict[str, Any]
NEEDS_THE_BANK: Final = "pm_card_authenticationRequired"


async def given_a_paid_purchase(driver: Driver, *, card: str = "pm_card_visa") -> tuple[Shop, Json]:
    """EUR 499.00, and nothing moves any more."""
    shop, addon = await driver.given_a_workspace(card=card), await driver.given_an_addon(price="499.00")
    answer = await driver.buy(shop, addon)
    assert answer.json()["status"] == "paid"
    await driver.settle()
    return shop, answer.json()


async def given_a_pending_purchase(driver: Driver, *, card: str = NEEDS_THE_BANK, **body: Any) -> tuple[Shop, Json]:
    """One of EUR 499.00 that waits for the buyer to go to the bank."""
    shop, addon = await driver.given_a_workspace(card=card), await driver.given_an_addon(price="499.00")
    answer = await driver.buy(shop, addon, **body)
    assert (answer.status_code, answer.json()["status"]) == (201, "pending")
    return shop, answer.json()
