"""LETTERS: which fact is mailed, to whom, with which subject, and what makes it the same mail again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from contracts import Fact
from contracts.purchase_facts import (
    DisputeClosed,
    DisputeOpened,
    MoneyBackParked,
    MoneyOverReturned,
    PaymentParked,
    PaymentReturned,
    PurchaseCancelled,
    PurchaseFact,
    PurchasePaid,
    RefundFailed,
    RefundIssued,
)
from contracts.workspace_facts import (
    ExtraSubscriptionEnded,
    RenewalFailed,
    SubscriptionParked,
    WorkspaceDisputeClosed,
    WorkspaceDisputeOpened,
    WorkspaceFact,
    WorkspaceMoneyBackParked,
    WorkspacePaymentRefunded,
)

Mailable = PurchaseFact | WorkspaceFact
"""The facts that can be mailed: they carry the owner's address, since the notifier asks nobody."""


class Recipient(StrEnum):
    """Who reads it: the delivery team's address is a setting, the owner's is in the fact."""

    TEAM = "team"
    OWNER = "owner"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One kind of mail: `name` is part of its key and of its templates' file names."""

    name: str
    to: Recipient
    subject: str
    """`{addon}` or `{plan}`, `{workspace}`, `{amount}` and `{outcome}` are filled in, cut and cleaned."""
    about: str | None = None
    """The fact's field that tells two such mails of one purchase or workspace apart: the refund, the invoice."""
    amount: str | None = "price_cents"
    """The fact's field that `{amount}` shows; None where it is about no money."""
    currency: str = "currency"
    """The fact's field that names the currency of `{amount}`."""
    applies: Callable[[Mailable], bool] = lambda _: True


def was_paid(fact: Mailable) -> bool:
    """Return whether it had been paid: of one that nobody paid the team gets no mail."""
    return isinstance(fact, PurchaseCancelled) and fact.previous_status in {"paid", "delivered"}


def was_issued(fact: Mailable) -> bool:
    """Return whether a mail had said of this failed refund that it was made."""
    return isinstance(fact, RefundFailed) and fact.was_issued


def was_not_ours(fact: Mailable) -> bool:
    """Return whether it was not our own, of which ExtraSubscriptionEnded informs; or the bank did not take it."""
    return isinstance(fact, WorkspacePaymentRefunded) and not (fact.automatic and fact.outcome == "refunded")


TEAM: Final = Recipient.TEAM
OWNER: Final = Recipient.OWNER

LETTERS: Final[Mapping[type[Mailable], Letter]] = {
    PurchasePaid: Letter(
        name="purchase-paid",
        to=TEAM,
        subject="New purchase: {addon} for {workspace}, {amount}",
        amount="paid_cents",
    ),
    PurchaseCancelled: Letter(
        name="cancelled-after-payment",
        to=TEAM,
        subject="Cancelled after payment: {addon} for {workspace}",
        applies=was_paid,
    ),
    PaymentReturned: Letter(
        name="payment-returned",
        to=TEAM,
        subject="Payment returned: {amount} from {workspace} for {addon}",
        about="stripe_invoice_id",
        amount="returned_cents",
    ),
    PaymentParked: Letter(
        name="payment-parked",
        to=TEAM,
        subject="Payment needs a look: {addon} for {workspace}",
        about="stripe_invoice_id",
    ),
    MoneyBackParked: Letter(
        name="money-back-parked",
        to=TEAM,
        subject="Money back needs a look: {addon} for {workspace}",
        about="object_id",
    ),
    MoneyOverReturned: Letter(
        name="over-returned",
        to=TEAM,
        subject="Too much went back: {amount} to {workspace} for {addon}",
        about="object_id",
        amount="over_returned_cents",
    ),
    RefundIssued: Letter(
        name="refund-issued",
        to=OWNER,
        subject="Your refund of {amount} for {addon}",
        about="stripe_refund_id",
        amount="refund_cents",
    ),
    RefundFailed: Letter(
        name="refund-failed",
        to=TEAM,
        subject="Refund failed: {amount} to {workspace} for {addon}",
        about="refund_id",
        amount="refund_cents",
    ),
    DisputeOpened: Letter(
        name="dispute-opened",
        to=TEAM,
        subject="Dispute opened: {amount} of {workspace} for {addon}",
        about="stripe_dispute_id",
        amount="dispute_cents",
    ),
    DisputeClosed: Letter(
        name="dispute-closed",
        to=TEAM,
        subject="Dispute closed ({outcome}): {amount} of {workspace} for {addon}",
        about="stripe_dispute_id",
        amount="dispute_cents",
    ),
    RenewalFailed: Letter(
        name="renewal-failed",
        to=OWNER,
        subject="Payment failed: {amount} for the {plan} plan of {workspace}",
        about="stripe_invoice_id",
        amount="amount_due_cents",
    ),
    ExtraSubscriptionEnded: Letter(
        name="extra-subscription-ended",
        to=TEAM,
        subject="Second {plan} subscription of {workspace} ended, {amount} sent back",
        about="subscription_and_money",
        amount="newly_returned_cents",
    ),
    SubscriptionParked: Letter(
        name="subscription-parked",
        to=TEAM,
        subject="Subscription needs a look: {workspace}, now on {plan}",
        about="stripe_subscription_id",
        amount=None,
    ),
    WorkspacePaymentRefunded: Letter(
        name="plan-payment-refunded",
        to=TEAM,
        subject="Refund of a plan payment ({outcome}): {amount} of {workspace}, now on {plan}",
        about="refund_and_outcome",
        amount="refund_cents",
        applies=was_not_ours,
    ),
    WorkspaceDisputeOpened: Letter(
        name="plan-dispute-opened",
        to=TEAM,
        subject="Dispute opened: {amount} of {workspace} for a plan, now on {plan}",
        about="dispute_and_correction",
        amount="dispute_cents",
    ),
    WorkspaceDisputeClosed: Letter(
        name="plan-dispute-closed",
        to=TEAM,
        subject="Dispute closed ({outcome}): {amount} of {workspace} for a plan, now on {plan}",
        about="dispute_and_correction",
        amount="dispute_cents",
    ),
    WorkspaceMoneyBackParked: Letter(
        name="plan-money-back-parked",
        to=TEAM,
        subject="Money back needs a look: a plan of {workspace}, now on {plan}",
        about="object_id",
        amount="money_back_cents",
        currency="money_back_currency",
    ),
}

SECOND_LETTERS: Final[Mapping[type[Mailable], Letter]] = {
    RefundFailed: Letter(
        name="refund-undone",
        to=OWNER,
        subject="The refund of {amount} for {addon} did not go through",
        about="refund_id",
        amount="refund_cents",
        applies=was_issued,
    ),
}
"""The second letter of a fact that concerns two readers."""


def letters_for(fact: Fact) -> list[Letter]:
    """Return the letters that `fact` calls for; none when nobody is mailed about it."""
    if not isinstance(fact, Mailable):
        return []
    both = (LETTERS.get(type(fact)), SECOND_LETTERS.get(type(fact)))
    return [letter for letter in both if letter and letter.applies(fact)]


def mail_key(*, letter: Letter, fact: Fact) -> str:
    """Return the mail's key, of business ids only: a fact that comes again, under another id, makes no other mail."""
    parts = [letter.name, fact.subject]
    if letter.about:
        parts.append(str(getattr(fact, letter.about)))
    return ":".join(parts)
