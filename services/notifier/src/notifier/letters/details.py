"""DETAILS: the lines below each letter's text, in order; a fact shows those that it carries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from notifier.letters.letters import Mailable, Recipient
from notifier.letters.looks import Looks
from notifier.letters.wording import one_line


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


def details_of(fact: Mailable, *, to: Recipient, looks: Looks) -> list[tuple[str, str]]:
    """Label and text of every line that `fact` carries and `to` may see; the owner reads no internal reasons."""
    shown = (detail for detail in DETAILS if to is Recipient.TEAM or not detail.team_only)
    lines = ((detail.label, _text(detail, fact, looks)) for detail in shown)
    return [(label, text) for label, text in lines if text]


def _text(detail: Detail, fact: Mailable, looks: Looks) -> str:
    value: Any = getattr(fact, detail.field, None)
    if value is None:
        return ""
    if detail.currency:
        return looks.money(value, getattr(fact, detail.currency))
    if isinstance(value, datetime):
        return looks.moment(value)
    if detail.field == "addons":
        value = ", ".join(value) if len(value) > 1 else ""
    if detail.field == "addon":
        value = value.name
    if detail.field == "plan":
        value = value.title()
    return one_line(str(value), limit=500)
