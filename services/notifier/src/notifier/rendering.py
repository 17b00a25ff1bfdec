"""From a stored fact to subject, text and HTML; one wording for both, one layout for all letters."""

from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from urllib.parse import quote

from css_inline import CSSInliner
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from contracts.purchase_facts import PurchaseFact
from notifier import amounts
from notifier.details import Money, details_of
from notifier.letters import Letter, Recipient
from notifier.wording import one_line

NAME_LENGTH: Final = 60
SUBJECT_LENGTH: Final = 180
TEAM_FOOT: Final = "Your team gets this mail because it looks after the purchases."

TEMPLATES: Final = Environment(
    loader=PackageLoader("notifier"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
INLINER: Final = CSSInliner(load_remote_stylesheets=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What every letter knows of us. `public_base_url` empty: letters carry no links."""

    support_email: str
    public_base_url: str = ""
    locale: str = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A letter in words."""

    subject: str
    text: str
    html: str


def render(*, letter: Letter, fact: PurchaseFact, house: House) -> Rendered:
    """Write `letter` about `fact`. Raises what its templates or an unknown currency raise; that mail is parked."""
    money: Money = partial(_money, locale=house.locale)
    words = _words(letter=letter, fact=fact, money=money)
    context = {
        "subject": one_line(letter.subject.format(**words), limit=SUBJECT_LENGTH),
        "paragraphs": _paragraphs(letter, words | {"status": fact.status}),
        "details": details_of(fact, to=letter.to, money=money),
        **_ending(letter=letter, fact=fact, house=house),
    }
    return Rendered(
        subject=context["subject"],
        text=TEMPLATES.get_template("layout.txt").render(context),
        html=INLINER.inline(TEMPLATES.get_template("layout.html").render(context)),
    )


def _words(*, letter: Letter, fact: PurchaseFact, money: Money) -> dict[str, str]:
    """The words that subjects and texts may use; names are other people's and cut and cleaned here."""
    return {
        "addon": one_line(fact.addon.name, limit=NAME_LENGTH) or fact.addon.slug,
        "workspace": one_line(fact.workspace_name, limit=NAME_LENGTH) or one_line(fact.workspace_id, limit=NAME_LENGTH),
        "amount": money(getattr(fact, letter.amount), fact.currency),
    }


def _paragraphs(letter: Letter, words: dict[str, str]) -> list[str]:
    text = TEMPLATES.get_template(f"{letter.name}.txt").render(words)
    return [paragraph.strip() for paragraph in text.split("\n\n") if paragraph.strip()]


def _ending(*, letter: Letter, fact: PurchaseFact, house: House) -> dict[str, Any]:
    """The link and the last line: the team goes to the admin page, the owner to the workspace's services."""
    if letter.to is Recipient.TEAM:
        path, link_text, foot = f"/admin/purchases/{fact.purchase_id}", "Open the purchase", TEAM_FOOT
    else:
        path, link_text = f"/app/{quote(fact.workspace_id, safe='')}/billing/addons", "See your services"
        foot = f"Questions? Reply to this mail, or write to {house.support_email}."
    base = house.public_base_url.rstrip("/")
    return {"link": base and base + path, "link_text": link_text, "foot": foot}


def _money(cents: int, currency: str, *, locale: str) -> str:
    return amounts.money(cents, currency=currency, locale=locale)
