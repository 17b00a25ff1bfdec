"""What a letter says of its fact: the words of its subject and text, and DETAILS, the lines below them.

Names are other people's: all are cut, and cleaned of line breaks, control and direction characters.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from babel.dates import format_date, format_time

from chassis import amounts
from contracts.purchase_facts import PurchaseFact
from notifier.letters.letters import Letter, Mailable, Recipient

NAME_LENGTH: Final = 60
DIRECTIONS: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
"""They can make a text read differently from what it says."""
BREAKS: Final = frozenset({"Cc", "Cs", "Zl", "Zp", "Zs"})
"""Unicode categories that become a plain space: control, surrogate, line, paragraph and space separators."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocaleFormats:
    """Amounts and times as one locale writes them; `locale` is one that Babel knows (CLDR)."""

    locale: str

    def money(self, cents: int, currency: str) -> str:
        """Return minor units of `currency` as text, never rounded. Raises chassis.money's UnsupportedCurrency."""
        return amounts.money(cents, currency=currency, locale=self.locale)

    def moment(self, moment: datetime) -> str:
        """Return day and minute in UTC, which is named: readers live in many zones."""
        day = format_date(moment.astimezone(UTC), format="medium", locale=self.locale)
        time = format_time(moment, format="short", tzinfo=UTC, locale=self.locale)
        # CLDR puts narrow spaces before AM and PM, which old mail readers show as a box.
        return one_line(f"{day}, {time} UTC", limit=100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """One line: the fact's `field`, money when `currency` names the field that holds its currency."""

    label: str
    field: str
    currency: str | None = None
    team_only: bool = False


DETAILS: Final[Sequence[Detail]] = (
    Detail(label="Add-on", field="addon"),
    Detail(label="Add-ons of the charge", field="addons", team_only=True),
    Detail(label="Plan", field="plan"),
    Detail(label="Price", field="price_cents", currency="currency"),
    Detail(label="Paid", field="paid_cents", currency="currency"),
    Detail(label="Received", field="amount_paid_cents", currency="amount_paid_currency", team_only=True),
    Detail(label="Money back", field="money_back_cents", currency="money_back_currency", team_only=True),
    Detail(label="Sent back", field="returned_cents", currency="currency"),
    Detail(label="Sent back before", field="returned_before_cents", currency="currency"),
    Detail(label="Charged", field="charged_cents", currency="currency", team_only=True),
    Detail(label="Beyond that", field="over_returned_cents", currency="currency", team_only=True),
    Detail(label="Refund", field="refund_cents", currency="currency"),
    Detail(label="Refunded in total", field="refunded_cents", currency="currency"),
    Detail(label="Disputed", field="dispute_cents", currency="currency"),
    Detail(label="Told before", field="previously_cents", currency="currency", team_only=True),
    Detail(label="Amount due", field="amount_due_cents", currency="currency"),
    Detail(label="Next attempt", field="next_attempt_at"),
    Detail(label="Workspace", field="workspace_name"),
    Detail(label="Workspace id", field="workspace_id", team_only=True),
    Detail(label="Owner", field="owner_email", team_only=True),
    Detail(label="Date", field="occurred_at"),
    Detail(label="Caused by", field="actor", team_only=True),
    Detail(label="Reason", field="reason", team_only=True),
    Detail(label="Bank's reason", field="failure_reason", team_only=True),
    Detail(label="Cardholder's reason", field="dispute_reason", team_only=True),
    Detail(label="Evidence until", field="evidence_due_at", team_only=True),
    Detail(label="Outcome", field="outcome", team_only=True),
    Detail(label="Purchase", field="purchase_id"),
    Detail(label="Stripe invoice", field="stripe_invoice_id", team_only=True),
    Detail(label="Stripe refund", field="stripe_refund_id", team_only=True),
    Detail(label="Subscription", field="stripe_subscription_id", team_only=True),
    Detail(label="Kept subscription", field="kept_subscription_id", team_only=True),
    Detail(label="Stripe dispute", field="stripe_dispute_id", team_only=True),
)


def words_of(fact: Mailable, *, letter: Letter, formats: LocaleFormats) -> dict[str, str]:
    """Return what `letter`'s subject and template may use; a word that the fact has nothing for is empty."""
    about = _purchase_words(fact, formats) if isinstance(fact, PurchaseFact) else {"plan": _name(fact.plan).title()}
    return {
        "workspace": _name(fact.workspace_name) or _name(fact.workspace_id),
        "amount": _amount(fact, letter, formats),
        "previously": _money_before(fact, formats),
        "is_more": "yes" if _field(fact, "returned_before_cents") is not None else "",
        "outcome": _name(_field(fact, "outcome") or "").replace("_", " "),
        "evidence_until": _moment(fact, "evidence_due_at", formats),
        "next_attempt": _moment(fact, "next_attempt_at", formats),
        **about,
    }


def details_of(fact: Mailable, *, to: Recipient, formats: LocaleFormats) -> list[tuple[str, str]]:
    """Return label and text of every line that `fact` carries and `to` may see; the owner reads no internal reasons."""
    shown = (detail for detail in DETAILS if to is Recipient.TEAM or not detail.team_only)
    lines = ((detail.label, _text(detail, fact, formats)) for detail in shown)
    return [(label, text) for label, text in lines if text]


def _text(detail: Detail, fact: Mailable, formats: LocaleFormats) -> str:
    value: Any = getattr(fact, detail.field, None)
    if value is None:
        return ""
    if detail.currency:
        return formats.money(value, getattr(fact, detail.currency))
    if isinstance(value, datetime):
        return formats.moment(value)
    if detail.field == "addons":
        value = ", ".join(value) if len(value) > 1 else ""
    if detail.field == "addon":
        value = value.name
    if detail.field == "plan":
        value = value.title()
    return one_line(str(value), limit=500)


def _amount(fact: Mailable, letter: Letter, formats: LocaleFormats) -> str:
    if letter.amount is None:
        return ""
    return formats.money(getattr(fact, letter.amount), _field(fact, letter.currency))


def _purchase_words(fact: PurchaseFact, formats: LocaleFormats) -> dict[str, str]:
    return {
        "addon": _addons(fact),
        "status": fact.status,
        "to_credit": "yes" if _field(fact, "returned_to") == "credit_balance" else "",
        "returned_credit": _money(fact, "returned_credit_cents", formats),
        "paid_outside": _money(fact, "paid_outside_stripe_cents", formats),
        "refund_requested": _money(fact, "refund_requested_cents", formats),
    }


def _money_before(fact: Mailable, formats: LocaleFormats) -> str:
    """Return what an earlier mail said, where this one corrects it."""
    cents: int | None = _field(fact, "previously_cents")
    return "" if cents is None else formats.money(cents, _field(fact, "currency"))


def _money(fact: PurchaseFact, field: str, formats: LocaleFormats) -> str:
    """Return the amount, empty for none."""
    cents: int = _field(fact, field) or 0
    return formats.money(cents, fact.currency) if cents else ""


def _addons(fact: PurchaseFact) -> str:
    """Return the add-on, or each that a fact about a whole charge may concern."""
    names = [_name(addon) for addon in _field(fact, "addons") or [fact.addon.name]]
    return ", ".join(filter(None, names)) or fact.addon.slug


def _moment(fact: Mailable, field: str, formats: LocaleFormats) -> str:
    moment: datetime | None = _field(fact, field)
    return formats.moment(moment) if moment else ""


def _field(fact: Mailable, name: str) -> Any:
    return getattr(fact, name, None)


def _name(text: str) -> str:
    return one_line(text, limit=NAME_LENGTH)


def one_line(text: str, *, limit: int) -> str:
    """Return `text` on one line, at most `limit` characters, the cut shown by an ellipsis."""
    plain = DIRECTIONS.sub("", text[: limit * 4])
    spaced = "".join(" " if unicodedata.category(char) in BREAKS else char for char in plain)
    line = " ".join(spaced.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
