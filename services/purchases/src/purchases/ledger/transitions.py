"""TRANSITIONS: what may happen to a purchase, as one table."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Status(StrEnum):
    """Where a purchase stands."""

    PENDING = "pending"
    PAID = "paid"
    DELIVERED = "delivered"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"


class Trigger(StrEnum):
    """What happened, with every guard that the status alone cannot answer already resolved into it."""

    PAYMENT_SUCCEEDED = "payment_succeeded"
    PAYMENT_FAILED = "payment_failed"
    INVOICE_VOIDED = "invoice_voided"
    NOTHING_AT_STRIPE = "nothing_at_stripe"
    CANCELLED = "cancelled"
    SESSION_EXPIRED = "session_expired"
    AUTHENTICATION_LAPSED = "authentication_lapsed"
    DELIVERED = "delivered"
    REFUNDED_IN_FULL = "refunded_in_full"
    REFUND_FAILED_AFTER_PAID = "refund_failed_after_paid"
    REFUND_FAILED_AFTER_DELIVERED = "refund_failed_after_delivered"
    REOPENED = "reopened"


class Announcement(StrEnum):
    """The fact that a transition publishes, by its name in the contracts."""

    PURCHASE_STARTED = "PurchaseStarted"
    PURCHASE_PAID = "PurchasePaid"
    PURCHASE_FAILED = "PurchaseFailed"
    PURCHASE_CANCELLED = "PurchaseCancelled"
    PURCHASE_DELIVERED = "PurchaseDelivered"
    PURCHASE_REFUNDED = "PurchaseRefunded"
    PURCHASE_RESTORED = "PurchaseRestored"
    PURCHASE_REOPENED = "PurchaseReopened"


@dataclass(frozen=True, slots=True)
class Step:
    """A legal transition: the next status, and the fact that is published."""

    status: Status
    fact: Announcement


@dataclass(frozen=True, slots=True)
class Refused:
    """No row of the table: a person gets the reason, a Stripe event is recorded as stale."""

    status: Status
    trigger: Trigger

    @property
    def reason(self) -> str:
        """Return it for people."""
        move = _PARTICIPLES.get(self.trigger, self.trigger.replace("_", " "))
        again = " again" if self.status.value == self.trigger.value else ""
        return f"a {self.status} purchase cannot be {move}{again}"


_PARTICIPLES: Final[Mapping[Trigger, str]] = {
    Trigger.CANCELLED: "cancelled",
    Trigger.DELIVERED: "marked as delivered",
    Trigger.REOPENED: "re-opened",
}

TRANSITIONS: Final[Mapping[tuple[Status, Trigger], Step]] = {
    (Status.PENDING, Trigger.PAYMENT_SUCCEEDED): Step(Status.PAID, Announcement.PURCHASE_PAID),
    (Status.FAILED, Trigger.PAYMENT_SUCCEEDED): Step(Status.PAID, Announcement.PURCHASE_PAID),
    (Status.PENDING, Trigger.PAYMENT_FAILED): Step(Status.FAILED, Announcement.PURCHASE_FAILED),
    (Status.PENDING, Trigger.INVOICE_VOIDED): Step(Status.FAILED, Announcement.PURCHASE_FAILED),
    (Status.PENDING, Trigger.NOTHING_AT_STRIPE): Step(Status.FAILED, Announcement.PURCHASE_FAILED),
    (Status.PENDING, Trigger.CANCELLED): Step(Status.CANCELLED, Announcement.PURCHASE_CANCELLED),
    (Status.PENDING, Trigger.SESSION_EXPIRED): Step(Status.CANCELLED, Announcement.PURCHASE_CANCELLED),
    (Status.PENDING, Trigger.AUTHENTICATION_LAPSED): Step(Status.CANCELLED, Announcement.PURCHASE_CANCELLED),
    (Status.PAID, Trigger.DELIVERED): Step(Status.DELIVERED, Announcement.PURCHASE_DELIVERED),
    (Status.PAID, Trigger.CANCELLED): Step(Status.CANCELLED, Announcement.PURCHASE_CANCELLED),
    (Status.PAID, Trigger.REFUNDED_IN_FULL): Step(Status.REFUNDED, Announcement.PURCHASE_REFUNDED),
    (Status.DELIVERED, Trigger.REFUNDED_IN_FULL): Step(Status.REFUNDED, Announcement.PURCHASE_REFUNDED),
    (Status.REFUNDED, Trigger.REFUND_FAILED_AFTER_PAID): Step(Status.PAID, Announcement.PURCHASE_RESTORED),
    (Status.REFUNDED, Trigger.REFUND_FAILED_AFTER_DELIVERED): Step(Status.DELIVERED, Announcement.PURCHASE_RESTORED),
    (Status.DELIVERED, Trigger.REOPENED): Step(Status.CANCELLED, Announcement.PURCHASE_REOPENED),
}


def decide(*, status: Status, trigger: Trigger) -> Step | Refused:
    """Say what `trigger` does to a purchase in `status`. Pure: no clock, no I/O."""
    return TRANSITIONS.get((status, trigger)) or Refused(status, trigger)


HOLDS_SLOT: Final = frozenset({Status.PENDING, Status.PAID, Status.DELIVERED})
"""In these a purchase keeps its (workspace, add-on) for itself; in the others only while it is `payable`."""


def restoring(*, refunded_from: Status) -> Trigger:
    """Return the trigger that puts a refunded purchase back to where its refund found it."""
    if refunded_from is Status.DELIVERED:
        return Trigger.REFUND_FAILED_AFTER_DELIVERED
    return Trigger.REFUND_FAILED_AFTER_PAID
