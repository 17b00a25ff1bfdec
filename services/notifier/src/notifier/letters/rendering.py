"""From a stored fact to subject, text and HTML; one wording for both, one layout for all letters."""

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from css_inline import CSSInliner
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from contracts.purchase_facts import PurchaseFact
from contracts.workspace_facts import RenewalFailed
from notifier.letters.letters import Letter, Mailable, Recipient
from notifier.letters.words import LocaleFormats, details_of, one_line, words_of

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
class LetterSettings:
    """What every letter says of us. `public_base_url` empty: letters carry no links."""

    support_email: str
    public_base_url: str = ""
    locale: str = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A letter in words."""

    subject: str
    text: str
    html: str


def render(*, letter: Letter, fact: Mailable, settings: LetterSettings) -> Rendered:
    """Write `letter` about `fact`. Raises what its templates or an unknown currency raise; that mail is parked."""
    formats = LocaleFormats(locale=settings.locale)
    words = words_of(fact, letter=letter, formats=formats)
    context = {
        "subject": one_line(letter.subject.format(**words), limit=SUBJECT_LENGTH),
        "paragraphs": _paragraphs(letter, words),
        "details": details_of(fact, to=letter.to, formats=formats),
        **_ending(letter=letter, fact=fact, settings=settings),
    }
    return Rendered(
        subject=context["subject"],
        text=TEMPLATES.get_template("layout.txt").render(context),
        html=INLINER.inline(TEMPLATES.get_template("layout.html").render(context)),
    )


def _paragraphs(letter: Letter, words: dict[str, str]) -> list[str]:
    text = TEMPLATES.get_template(f"{letter.name}.txt").render(words)
    return [paragraph.strip() for paragraph in text.split("\n\n") if paragraph.strip()]


def _ending(*, letter: Letter, fact: Mailable, settings: LetterSettings) -> dict[str, Any]:
    """Return the link and the last line."""
    link, link_text = _link(fact, to=letter.to, base=settings.public_base_url.rstrip("/"))
    owner_foot = f"Questions? Reply to this mail, or write to {settings.support_email}."
    return {"link": link, "link_text": link_text, "foot": TEAM_FOOT if letter.to is Recipient.TEAM else owner_foot}


def _link(fact: Mailable, *, to: Recipient, base: str) -> tuple[str, str]:
    """Return link and text: the team's admin page, the owner's services, or the billing page where there is to pay."""
    if isinstance(fact, RenewalFailed):
        return fact.billing_page_url, "Check your payment method"
    if to is Recipient.TEAM and isinstance(fact, PurchaseFact):
        return base and f"{base}/admin/purchases/{fact.purchase_id}", "Open the purchase"
    if to is Recipient.TEAM:
        return base and f"{base}/admin/purchases", "Open the purchases"
    return base and f"{base}/app/{quote(fact.workspace_id, safe='')}/billing/addons", "See your services"
