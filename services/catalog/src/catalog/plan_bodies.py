"""What the API takes for a plan: a cap is a whole number or null, a list that is given is the whole list."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field, StringConstraints
from pydantic.config import JsonDict

from catalog.bodies import INT4_LIMIT, Currency, LeftOut, MajorUnits, MinorUnits
from catalog.limits import PLAN_PRICES, RESOURCE_LENGTH, RESOURCES
from catalog.texts import Name
from chassis.web.web import Body
from contracts.plan_facts import Interval

ResourceName = Annotated[str, StringConstraints(pattern=rf"^[a-z][a-z0-9_]{{0,{RESOURCE_LENGTH - 1}}}$")]
Cap = Annotated[int, Field(ge=0, lt=INT4_LIMIT)]
Caps = Annotated[
    dict[ResourceName, Cap | None],
    Field(max_length=RESOURCES, description="All of the plan's: resource → how many at most, null for no cap"),
]

EXAMPLE: Final[JsonDict] = {
    "caps": {"projects": 100, "seats": 25, "byok_keys": 20},
    "prices": [
        {"interval": "month", "currency": "EUR", "price": "9.00"},
        {"interval": "year", "currency": "EUR", "price": "99.00"},
    ],
}


class PlanPriceGiven(Body):
    """One price of a plan: exactly one of `price` and `price_cents`."""

    model_config = ConfigDict(
        strict=True, json_schema_extra={"oneOf": [{"required": ["price"]}, {"required": ["price_cents"]}]}
    )

    interval: Interval
    currency: Currency
    price: LeftOut[MajorUnits]
    price_cents: LeftOut[MinorUnits]


class PlanEdit(Body):
    """What to change: a field that is left out stays as it is; `caps` and `prices` replace all that there were.

    A changed price is `pending` until purchases has made its Stripe price, and the old one sells until then; a new one
    is sold from then on.
    """

    model_config = ConfigDict(strict=True, json_schema_extra={"examples": [EXAMPLE]})

    name: LeftOut[Name]
    caps: LeftOut[Caps]
    prices: LeftOut[Annotated[list[PlanPriceGiven], Field(max_length=PLAN_PRICES)]]

    @property
    def given(self) -> Mapping[str, Any]:
        """Return name and caps, where the caller named them."""
        return self.model_dump(include=self.model_fields_set & {"name", "caps"})
