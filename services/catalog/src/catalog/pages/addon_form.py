"""What staff type about an add-on: kept as it was typed, until the API's own body takes it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Self
from uuid import uuid4

from pydantic import ValidationError

from catalog.bodies import AddonEdit, NewAddon
from catalog.etags import etag_of
from catalog.limits import BULLETS
from catalog.prices import PriceRefused, price_of
from catalog.views import AdminAddon
from chassis.money import InvalidAmount, UnsupportedCurrency, major_text
from chassis.pages.forms import errors_by_field, in_words
from chassis.pages.typed_amounts import local_amount, plain_amount, typed_minor_units
from chassis.problems import Problem

Errors = dict[str, str]
_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,20}", re.ASCII)
_MOVE: Final = re.compile(r"(up|down)-([0-9])", re.ASCII)
LABELS: Final = {
    "name": "Name",
    "description": "Description",
    "price": "Price",
    "currency": "Currency",
    "bullets": "Bullets",
    "sort_order": "Place in the list",
    "is_active": "On sale",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AddonForm:
    """The fields as texts. `version` is the ETag that was read, `key` the id of an add-on that is yet to be made."""

    name: str = ""
    description: str = ""
    price: str = ""
    currency: str = "EUR"
    bullets: tuple[str, ...] = ()
    sort_order: str = "0"
    is_active: bool = False
    version: str = ""
    key: str = ""

    @classmethod
    def empty(cls) -> Self:
        """Return the form of a new add-on."""
        return cls(key=str(uuid4()))

    @classmethod
    def of(cls, addon: AdminAddon, *, locale: str) -> Self:
        """Return the form of an add-on as it is now, with the price as the visitor's language writes it."""
        return cls(
            name=addon.name,
            description=_one_paragraph(addon.description or ""),
            price=local_amount(addon.price, locale=locale),
            currency=addon.currency,
            bullets=tuple(addon.bullets),
            sort_order=str(addon.sort_order),
            is_active=addon.is_active,
            version=etag_of(sequence=addon.sequence),
        )

    @classmethod
    def typed(cls, fields: Iterable[tuple[str, str]]) -> Self:
        """Return the form as it was sent. Browsers end the lines of a text with CR LF, whatever they were."""
        given = [(name, value.replace("\r\n", "\n")) for name, value in fields]
        fields_by_name = dict(given)
        texts = {name: fields_by_name.get(name, "") for name in ("name", "version", "key")}
        texts["description"] = _one_paragraph(fields_by_name.get("description", ""))
        trimmed = {name: fields_by_name.get(name, "").strip() for name in ("price", "currency", "sort_order")}
        bullets = tuple(value for name, value in given if name == "bullet")
        return cls(**texts, **trimmed, bullets=bullets, is_active="is_active" in fields_by_name)

    @property
    def rows(self) -> tuple[str, ...]:
        """Return the bullets, and room for one more."""
        return (*self.bullets, "") if len(self.bullets) < BULLETS and "" not in self.bullets else self.bullets

    def moved(self, move: str) -> tuple[Self, int]:
        """Return it with a bullet moved `up-…` or `down-…`, and where it is now; any other word adds one."""
        match, bullets = _MOVE.fullmatch(move), [*self.bullets]
        if match is None:
            return replace(self, bullets=(*bullets, "")[:BULLETS]), min(len(bullets), BULLETS - 1)
        here = int(match[2])
        there = here + (1 if match[1] == "down" else -1)
        if not (0 <= here < len(bullets) and 0 <= there < len(bullets)):
            return self, here
        bullets[here], bullets[there] = bullets[there], bullets[here]
        return replace(self, bullets=tuple(bullets)), there

    def without_gaps(self) -> Self:
        """Return it without the bullets in which nothing was typed."""
        return replace(self, bullets=tuple(bullet for bullet in self.bullets if bullet.strip()))

    def as_stored(self, body: NewAddon | AddonEdit, *, locale: str) -> Self:
        """Return it as it would be stored: trimmed, with all decimals of the currency. `body` is made of this form."""
        try:
            price = price_of(major=body.price, cents=None, currency=body.currency or "")
        except PriceRefused:
            price = None
        return replace(
            self,
            name=body.name or "",
            description=body.description or "",
            price=local_amount(major_text(*price), locale=locale) if price else self.price,
            bullets=tuple(body.bullets or ()),
            sort_order=str(body.sort_order),
        )

    def price_error(self, *, locale: str) -> Errors:
        """Return what is wrong with the price as it is written, if anything is."""
        try:
            typed_minor_units(self.price, self.currency, locale=locale)
        except InvalidAmount as error:
            return {"price": str(error)}
        except UnsupportedCurrency:
            return {}
        return {}

    def body(self, *, locale: str) -> dict[str, Any]:
        """Return the API's own body, whose model says what is wrong with it; a price that cannot be read is none."""
        try:
            price = plain_amount(self.price, locale=locale)
        except InvalidAmount:
            price = ""
        return {
            "name": self.name,
            "description": self.description,
            "price": price,
            "currency": self.currency,
            "bullets": list(self.bullets) or None,
            "sort_order": int(self.sort_order) if _WHOLE.fullmatch(self.sort_order) else self.sort_order,
            "is_active": self.is_active,
        }


def _one_paragraph(text: str) -> str:
    """Join lines: typed in several, or kept so by an older catalog, it is one paragraph."""
    return " ".join(text.split())


def differences(theirs: AddonForm, ours: AddonForm) -> list[tuple[str, str, str]]:
    """Return label, what is stored and what was typed, of each field in which they differ."""
    return [
        (label, _shown(getattr(theirs, name)), _shown(getattr(ours, name)))
        for name, label in LABELS.items()
        if getattr(theirs, name) != getattr(ours, name)
    ]


def _shown(value: str | bool | Sequence[str]) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else "\n".join(value)


def errors_of(error: ValidationError | Problem) -> Errors:
    """Return the errors by field, `bullet-2` for one of the bullets. Raises a problem that is about no field."""
    if isinstance(error, Problem):
        if "field" not in error.extra:
            raise error
        return {str(error.extra["field"]): error.detail or error.title}
    found = errors_by_field(error)
    for fault in error.errors(include_url=False, include_input=False):
        if fault["loc"][0:1] == ("bullets",) and len(fault["loc"]) > 1:
            found.pop("bullets", None)
            found.setdefault(f"bullet-{fault['loc'][1]}", in_words(fault))
    return found
