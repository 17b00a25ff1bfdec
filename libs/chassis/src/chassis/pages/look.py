"""How pages are rendered: the templates of a service in front of ours, with the visitor's amounts and dates."""

from dataclasses import dataclass
from datetime import datetime

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from chassis import amounts
from chassis.pages.assets import asset_url
from chassis.pages.locales import day_text, moment_text

TEMPLATES = "pages/templates"


@dataclass(frozen=True, slots=True)
class NavLink:
    """An entry of the navigation."""

    label: str
    href: str

    def leads_to(self, path: str) -> bool:
        """Return whether `path` is that page, or below it."""
        there = self.href.partition("?")[0]
        return path == there or path.startswith(f"{there}/")


def environment(package: str) -> Environment:
    """Templates of `package` (in its `pages/templates`), then those of chassis. An unknown name is an error."""
    look = Environment(
        loader=ChoiceLoader([PackageLoader(package, TEMPLATES), PackageLoader("chassis", TEMPLATES)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    look.globals["asset"] = asset_url
    look.filters |= {"money": _money, "moment": _moment, "day": _day}
    return look


@pass_context
def _money(context: Context, cents: int, currency: str) -> str:
    """Write `{{ 49900|money("EUR") }}`: minor units in the visitor's look."""
    return amounts.money(cents, currency=currency, locale=context["locale"])


@pass_context
def _moment(context: Context, moment: datetime) -> Markup:
    return _time(moment, "moment", moment_text(moment, locale=context["locale"]))


@pass_context
def _day(context: Context, moment: datetime) -> Markup:
    return _time(moment, "day", day_text(moment, locale=context["locale"]))


def _time(moment: datetime, look: str, text: str) -> Markup:
    """In UTC; `pages.js` puts it into the visitor's own zone, in the same `look`."""
    return Markup('<time datetime="{}" data-shown="{}">{}</time>').format(moment.isoformat(), look, text)
