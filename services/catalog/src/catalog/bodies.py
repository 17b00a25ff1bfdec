"""What the API takes: strict bodies, a price in major or in minor units, text that travels unharmed."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, TypeVar

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, model_validator
from pydantic.config import JsonDict

from catalog.limits import BULLETS
from catalog.texts import Bullet, Description, Name
from chassis.problems import Problem
from chassis.web.web import Body

INT4_LIMIT: Final = 2**31
T = TypeVar("T")


class SlugLocked(Problem):
    """An edit tried to give an add-on another slug."""

    def __init__(self) -> None:
        detail = "The slug stays as it was derived from the first name, because Stripe metadata refers to it."
        super().__init__(422, "slug-locked", "The slug cannot be changed", detail, field="slug")


def _not_null(value: T | None) -> T:
    if value is None:
        raise ValueError("must not be null; leave the field out instead")
    return value


def _without_null(schema: dict[str, Any]) -> None:
    schema.pop("default", None)
    schema |= schema.pop("anyOf")[0]


LeftOut = Annotated[T | None, AfterValidator(_not_null), Field(default=None, json_schema_extra=_without_null)]
"""A field that can be left out (None in the code) but not sent as null."""

MajorUnits = Annotated[str, StringConstraints(max_length=30), Field(description="Major units, e.g. `499` or `499.00`")]
MinorUnits = Annotated[int, Field(gt=0, lt=2**53, description="Minor units of the currency, e.g. `49900`")]
Currency = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z]{3}$", to_upper=True),
    Field(description="ISO 4217; one that Stripe charges"),
]
Bullets = Annotated[list[Bullet], Field(max_length=BULLETS, description="Shown in this order")]
SortOrder = Annotated[int, Field(ge=-INT4_LIMIT, lt=INT4_LIMIT, description="Lower comes first, then by name")]

EXAMPLE: Final[JsonDict] = {
    "name": "Professional AI Setup",
    "description": "Our team sets up your AI assistants, prompts and integrations together with you.",
    "bullets": ["Kick-off call with your team", "Two weeks of support"],
    "price": "499.00",
    "currency": "EUR",
}


class NewAddon(Body):
    """A new add-on: exactly one of `price` and `price_cents`; the slug is derived from the name."""

    model_config = ConfigDict(
        strict=True,
        json_schema_extra={
            "oneOf": [{"required": ["price"]}, {"required": ["price_cents"]}],
            "examples": [EXAMPLE],
        },
    )

    name: Name
    description: Description | None = None
    bullets: Bullets | None = None
    price: LeftOut[MajorUnits]
    price_cents: LeftOut[MinorUnits]
    currency: Currency = "EUR"
    is_active: bool = False
    sort_order: SortOrder = 0


class AddonEdit(Body):
    """What to change: a field that is left out stays as it is. Null empties `description` and `bullets`.

    At most one of `price` and `price_cents`; another currency needs its price.
    """

    model_config = ConfigDict(
        strict=True,
        json_schema_extra={
            "not": {"required": ["price", "price_cents"]},
            "examples": [{"price": "549.00", "is_active": True}],
        },
    )

    name: LeftOut[Name]
    description: Description | None = None
    bullets: Bullets | None = None
    price: LeftOut[MajorUnits]
    price_cents: LeftOut[MinorUnits]
    currency: LeftOut[Currency]
    is_active: LeftOut[bool]
    sort_order: LeftOut[SortOrder]

    @model_validator(mode="before")
    @classmethod
    def _slug_is_locked(cls, given: Any) -> Any:
        if isinstance(given, Mapping) and "slug" in given:
            raise SlugLocked
        return given

    @property
    def given(self) -> dict[str, Any]:
        """Return the fields that the caller named."""
        return self.model_dump(include=self.model_fields_set)
