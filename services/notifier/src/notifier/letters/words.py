"""The words that subjects and texts are made of; names are other people's, cut and cleaned here."""

from datetime import datetime
from typing import Any, Final

from contracts.purchase_facts import PurchaseFact
from notifier.letters.letters import Letter, Mailable
from notifier.letters.looks import Looks
from notifier.letters.wording import one_line

NAME_LENGTH: Final = 60


def words_of(fact: Mailable, *, letter: Letter, looks: Looks) -> dict[str, str]:
    """What `letter`'s subject and template may use; a word that the fact has nothing for is empty."""
    about = _purchase_words(fact, looks) if isinstance(fact, PurchaseFact) else {"plan": _name(fact.plan).title()}
    return {
        "workspace": _name(fact.workspace_name) or _name(fact.workspace_id),
        "amount": _amount(fact, letter, looks),
        "previously": _money_before(fact, looks),
        "is_more": "yes" if _field(fact, "returned_before_cents") is not None else "",
        "outcome": _name(_field(fact, "outcome") or "").replace("_", " "),
        "evidence_until": _moment(fact, "evidence_due_at", looks),
        "next_attempt": _moment(fact, "next_attempt_at", looks),
        **about,
    }


def _amount(fact: Mailable, letter: Letter, looks: Looks) -> str:
    if letter.amount is None:
        return ""
    return looks.money(getattr(fact, letter.amount), _field(fact, letter.currency))


def _purchase_words(fact: PurchaseFact, looks: Looks) -> dict[str, str]:
    return {
        "addon": _addons(fact),
        "status": fact.status,
        "to_credit": "yes" if _field(fact, "returned_to") == "credit_balance" else "",
        "returned_credit": _money(fact, "returned_credit_cents", looks),
        "paid_outside": _money(fact, "paid_outside_stripe_cents", looks),
        "refund_requested": _money(fact, "refund_requested_cents", looks),
    }


def _money_before(fact: Mailable, looks: Looks) -> str:
    """What an earlier mail said, where this one corrects it."""
    cents: int | None = _field(fact, "previously_cents")
    return "" if cents is None else looks.money(cents, _field(fact, "currency"))


def _money(fact: PurchaseFact, field: str, looks: Looks) -> str:
    """Empty for none."""
    cents: int = _field(fact, field) or 0
    return looks.money(cents, fact.currency) if cents else ""


def _addons(fact: PurchaseFact) -> str:
    """The add-on, or each that a fact about a whole charge may concern."""
    names = [_name(one) for one in _field(fact, "addons") or [fact.addon.name]]
    return ", ".join(filter(None, names)) or fact.addon.slug


def _moment(fact: Mailable, field: str, looks: Looks) -> str:
    moment: datetime | None = _field(fact, field)
    return looks.moment(moment) if moment else ""


def _field(fact: Mailable, name: str) -> Any:
    return getattr(fact, name, None)


def _name(text: str) -> str:
    return one_line(text, limit=NAME_LENGTH)
