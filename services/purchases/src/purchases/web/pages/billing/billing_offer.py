"""The form with which the owner upgrades: what stands in it, and what it is read as."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Final

from pydantic import ValidationError

from chassis.pages.forms import errors_by_field
from chassis.problems import Problem
from purchases.buying.offer_addons import Offer
from purchases.caps.read_billing import Billing
from purchases.catalog_copy.rows import Addon, Plan
from purchases.subscriptions.plan import BUILDER
from purchases.web.session_bodies import MOST_ADDONS, CheckoutSessionBody

Fields = Sequence[tuple[str, str]]
MONTHS_A_YEAR: Final = 12
WRONG: Final = {
    "interval": "Choose monthly or yearly.",
    "currency": "Choose one of the currencies.",
    "addons": f"Choose at most {MOST_ADDONS} services: the others can be bought later.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What is ticked, and the key: pressing twice is one request."""

    key: uuid.UUID
    interval: str = "month"
    currency: str | None = None
    addons: tuple[str, ...] = ()

    @property
    def request_key(self) -> str:
        """The request's key: other choices on the same page, as after the back button, are another request."""
        said = ":".join((self.interval, self.currency or "", *self.addons))
        return str(uuid.uuid5(self.key, said))


@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeOffer:
    """The plan in one currency, by interval, with the services that can be bought along."""

    plan: Plan
    currency: str
    currencies: Sequence[str]
    prices: Sequence[dict[str, Any]]
    addons: Sequence[Addon]

    @property
    def yearly_saving(self) -> int:
        """How much less a year costs than twelve months, in minor units; 0 if it costs more, or one is not sold."""
        cents = {price["interval"]: price["price_cents"] for price in self.prices}
        return max(0, cents.get("month", 0) * MONTHS_A_YEAR - cents["year"]) if "year" in cents else 0


def upgrade_offer(billing: Billing, offers: Sequence[Offer], *, currency: str | None) -> UpgradeOffer | None:
    """Return the offer in `currency`, else the last subscription's, else the first; None while Stripe has no price."""
    plan = billing.on_offer
    sold = [price for price in plan.prices if price["stripe_price_id"]] if plan else []
    if plan is None or not sold:
        return None
    currencies = list(dict.fromkeys(price["currency"] for price in sold))
    before = billing.subscription.currency if billing.subscription else None
    chosen = next((known for known in (currency, before) if known in currencies), None) or currencies[0]
    prices = sorted((price for price in sold if price["currency"] == chosen), key=itemgetter("interval"))
    addons = [offer.addon for offer in offers if offer.holder is None and offer.addon.currency == chosen]
    return UpgradeOffer(plan=plan, currency=chosen, currencies=currencies, prices=prices, addons=addons)


def chosen_in(fields: Fields) -> Chosen:
    """Read the form as it was sent, to be shown again; nothing in it is judged here."""
    values = dict(fields)
    addons = tuple(value for name, value in fields if name == "addons")
    currency = values.get("currency")
    return Chosen(
        key=_key(values.get("key", "")), interval=values.get("interval", ""), currency=currency, addons=addons
    )


def checkout_body(chosen: Chosen, *, page: str) -> CheckoutSessionBody:
    """Return what the API would be sent. Raises Problem 422 with what is wrong, in words."""
    given = {
        "plan": BUILDER,
        "interval": chosen.interval,
        "currency": chosen.currency,
        "addons": list(chosen.addons),
        "success_url": f"{page}?checkout={chosen.request_key}",
        "cancel_url": page,
    }
    try:
        return CheckoutSessionBody.model_validate(given)
    except ValidationError as error:
        wrong = " ".join(WRONG.get(name, "Go back, and send it again.") for name in errors_by_field(error))
        raise Problem(422, "not-chosen", "Something in the form is not right", wrong) from error


def _key(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        return uuid.uuid4()
