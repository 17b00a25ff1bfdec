"""Staff send money back: how much and why, then a page that says it in words, and only then the refund."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self
from uuid import UUID, uuid4

from pydantic import ValidationError
from starlette.responses import Response

from chassis.database.database import Database
from chassis.money import InvalidAmount, major_text
from chassis.pages import page_router
from chassis.pages.forms import errors_by_field
from chassis.pages.locales import visitors_locale
from chassis.pages.site import see_other
from chassis.pages.typed_amounts import local_amount, typed_minor_units
from chassis.problems import Problem
from purchases.ledger import store as ledger
from purchases.refunds.request_refund import (
    RefundOrder,
    already_refunded,
    nothing_paid,
    paid_outside_stripe,
    refund_too_large,
    request_refund,
)
from purchases.web.bodies import RefundBody
from purchases.web.pages.paths import PurchaseId
from purchases.web.pages.staff.purchases_admin import LIST, purchase_page
from purchases.web.pages.staff.staff_words import words_for_staff
from purchases.web.pages.visit import StaffVisit, Visit
from purchases.web.reading import read_purchase_for_staff
from purchases.web.replies.staff_replies import AdminPurchaseReply

_KEY: Final = re.compile(r"[0-9a-f]{32}", re.ASCII)
_CENTS: Final = re.compile(r"[0-9]{1,12}", re.ASCII)
ALL_OR_A_PART: Final = "Choose “A part” above, or leave this empty."

router = page_router(f"{LIST}/{{purchase_id}}/refund")


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundForm:
    """As it was typed; `agreed` are the minor units that stood on the page that asked once more."""

    step: str = ""
    how_much: str = "all"
    amount: str = ""
    reason: str = ""
    agreed: str = ""
    key: str

    @classmethod
    def typed(cls, fields: Mapping[str, str]) -> Self:
        """Read the form; without a key of ours it gets one, and is asked about anew."""
        names = ("step", "how_much", "reason", "agreed")
        given = {name: fields[name] for name in names if name in fields}
        key = fields.get("key", "")
        if not _KEY.fullmatch(key):
            key, given["step"] = uuid4().hex, "review"
        return cls(key=key, amount=fields.get("amount", "").strip(), **given)

    @property
    def is_agreed(self) -> bool:
        """Whether somebody has seen the amount in words, and pressed the button."""
        return self.step == "do" and bool(_CENTS.fullmatch(self.agreed))

    def body(self, purchase: AdminPurchaseReply, *, locale: str) -> RefundBody:
        """Return what the API would be sent. Raises InvalidAmount, ValidationError."""
        if self.is_agreed:
            cents = int(self.agreed)
        elif self.how_much == "all" and self.amount:
            raise InvalidAmount(ALL_OR_A_PART)
        elif self.how_much == "all":
            cents = purchase.refundable_cents
        else:
            cents = typed_minor_units(self.amount, purchase.currency, locale=locale)
        return RefundBody.model_validate({"amount_cents": cents, "reason": self.reason})


@router.get("")
async def ask_how_much(visit: StaffVisit, purchase_id: PurchaseId) -> Response:
    purchase = await read_purchase_for_staff(visit.database, purchase_id)
    if not purchase.refundable_cents:
        return purchase_page(visit, purchase, problem=_nothing_left(purchase))
    return _form(visit, purchase, RefundForm(key=uuid4().hex))


@router.post("")
async def refund(visit: StaffVisit, purchase_id: PurchaseId) -> Response:
    """Ask, ask once more, and send it. The key is the form's, so that a form sent twice is one refund."""
    form = RefundForm.typed(await visit.fields())
    purchase = await read_purchase_for_staff(visit.database, purchase_id)
    if not form.is_agreed and await _was_sent(visit.database, purchase_id, form):
        return see_other(f"{LIST}/{purchase_id}?done=refund-once")
    if form.step == "change":
        return _form(visit, purchase, form)
    try:
        body = form.body(purchase, locale=visitors_locale(visit.request))
        if not form.is_agreed:
            return _review(visit, purchase, form, body)
        repeated = await _ask_for(visit, purchase_id, body, key=form.key)
    except ValidationError as error:
        wrong = errors_by_field(error)
        errors = {"amount" if name == "amount_cents" else name: said for name, said in wrong.items()}
        return _form(visit, purchase, form, errors=errors)
    except InvalidAmount as error:
        return _form(visit, purchase, form, errors={"amount": str(error)})
    except Problem as problem:
        purchase = await read_purchase_for_staff(visit.database, purchase_id)
        if not purchase.refundable_cents:
            return purchase_page(visit, purchase, problem=problem)
        return _form(visit, purchase, form, problem=problem)
    return see_other(f"{LIST}/{purchase_id}?done={'refund-once' if repeated else 'refund'}")


async def _ask_for(visit: Visit, purchase_id: UUID, body: RefundBody, *, key: str) -> bool:
    """Ask for the refund; return whether the form's key had asked for it before. Raises Problem."""
    order = RefundOrder(
        purchase_id=purchase_id,
        amount_cents=body.amount_cents,
        reason=body.reason,
        idempotency_key=key,
        staff=visit.actor,
    )
    async with visit.database.transaction() as session:
        return (await request_refund(session=session, order=order)).repeated


async def _was_sent(database: Database, purchase_id: UUID, form: RefundForm) -> bool:
    async with database.reading() as session:
        purchase = await ledger.find(session, purchase_id)
    return purchase is not None and any(one.idempotency_key == form.key for one in purchase.refunds)


def _review(visit: Visit, purchase: AdminPurchaseReply, form: RefundForm, body: RefundBody) -> Response:
    """Show the refund in words, with what then remains. Raises Problem 409 for more than there is."""
    cents = body.amount_cents or 0
    if cents > purchase.refundable_cents:
        raise refund_too_large(left=purchase.refundable_cents, currency=purchase.currency)
    by_card = purchase.refundable_cents - purchase.refundable_to_credit_cents
    return visit.page(
        "staff/refund_review.html",
        purchase=purchase,
        here=f"{LIST}/{purchase.id}",
        form=form,
        cents=cents,
        to_credit=max(0, cents - by_card),
    )


def _form(
    visit: Visit,
    purchase: AdminPurchaseReply,
    form: RefundForm,
    *,
    errors: Mapping[str, str] | None = None,
    problem: Problem | None = None,
) -> Response:
    left = major_text(purchase.refundable_cents, purchase.currency)
    return visit.page(
        "staff/refund.html",
        problem=problem,
        errors=errors,
        purchase=purchase,
        here=f"{LIST}/{purchase.id}",
        form=form,
        example=local_amount(left, locale=visitors_locale(visit.request)),
        said=words_for_staff(problem) if problem else None,
    )


def _nothing_left(purchase: AdminPurchaseReply) -> Problem:
    """Return the problem that any refund would meet, as the API says it."""
    known = {problem.slug: problem for problem in (already_refunded(), nothing_paid(), paid_outside_stripe())}
    return known[str(purchase.not_refundable_because)]
