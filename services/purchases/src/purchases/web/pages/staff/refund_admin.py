"""Staff send money back: how much and why, then a page that says it in words, and only then the refund."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self
from uuid import UUID, uuid4

from fastapi import Request
from pydantic import ValidationError
from starlette.responses import Response

from chassis.database.database import Database
from chassis.money import InvalidAmount, major_text
from chassis.pages import AtPages, Pages, page_router
from chassis.pages.forms import errors_by_field, typed
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
from purchases.web.access import AtDatabase, Staff
from purchases.web.api.staff.staff_routes import get_purchase_for_staff
from purchases.web.move_bodies import RefundBody
from purchases.web.pages.ids import PurchaseId
from purchases.web.pages.staff.purchases_admin import LIST, purchase_page
from purchases.web.pages.staff.staff_words import told_to_staff
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
        """A form without a key of ours gets one, and is asked about anew."""
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
        """Raises InvalidAmount, ValidationError."""
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
async def ask_how_much(
    caller: Staff, purchase_id: PurchaseId, request: Request, pages: AtPages, database: AtDatabase
) -> Response:
    purchase = await get_purchase_for_staff(purchase_id, caller, database)
    if not purchase.refundable_cents:
        return purchase_page(request, pages, purchase, problem=_nothing_left(purchase))
    return _form(request, pages, purchase, RefundForm(key=uuid4().hex))


@router.post("")
async def refund(
    caller: Staff, purchase_id: PurchaseId, request: Request, pages: AtPages, database: AtDatabase
) -> Response:
    """The key is the form's, so that a form sent twice is one refund, and its pages ask about no second one."""
    form = RefundForm.typed(dict(await typed(request)))
    purchase = await get_purchase_for_staff(purchase_id, caller, database)
    if not form.is_agreed and await _was_sent(database, purchase_id, form):
        return see_other(f"{LIST}/{purchase_id}?done=refund-once")
    if form.step == "change":
        return _form(request, pages, purchase, form)
    try:
        body = form.body(purchase, locale=visitors_locale(request))
        if not form.is_agreed:
            return _review(request, pages, purchase, form, body)
        repeated = await _ask_for(database, purchase_id, body, key=form.key, staff=caller.subject)
    except ValidationError as error:
        wrong = errors_by_field(error)
        errors = {"amount" if name == "amount_cents" else name: said for name, said in wrong.items()}
        return _form(request, pages, purchase, form, errors=errors)
    except InvalidAmount as error:
        return _form(request, pages, purchase, form, errors={"amount": str(error)})
    except Problem as problem:
        purchase = await get_purchase_for_staff(purchase_id, caller, database)
        if not purchase.refundable_cents:
            return purchase_page(request, pages, purchase, problem=problem)
        return _form(request, pages, purchase, form, problem=problem)
    return see_other(f"{LIST}/{purchase_id}?done={'refund-once' if repeated else 'refund'}")


async def _ask_for(database: Database, purchase_id: UUID, body: RefundBody, *, key: str, staff: str) -> bool:
    """Ask for the refund; return whether the form's key had asked for it before. Raises Problem."""
    order = RefundOrder(
        purchase_id=purchase_id,
        amount_cents=body.amount_cents,
        reason=body.reason,
        idempotency_key=key,
        staff=f"staff:{staff}",
    )
    async with database.transaction() as session:
        return (await request_refund(session=session, order=order)).repeated


async def _was_sent(database: Database, purchase_id: UUID, form: RefundForm) -> bool:
    async with database.reading() as session:
        purchase = await ledger.find(session, purchase_id)
    return purchase is not None and any(one.idempotency_key == form.key for one in purchase.refunds)


def _review(
    request: Request, pages: Pages, purchase: AdminPurchaseReply, form: RefundForm, body: RefundBody
) -> Response:
    """In words, with what then remains. Raises Problem 409 for more than there is."""
    cents = body.amount_cents or 0
    if cents > purchase.refundable_cents:
        raise refund_too_large(left=purchase.refundable_cents, currency=purchase.currency)
    by_card = purchase.refundable_cents - purchase.refundable_to_credit_cents
    return pages.page(
        request,
        "staff/refund_review.html",
        purchase=purchase,
        here=f"{LIST}/{purchase.id}",
        form=form,
        cents=cents,
        to_credit=max(0, cents - by_card),
    )


def _form(
    request: Request,
    pages: Pages,
    purchase: AdminPurchaseReply,
    form: RefundForm,
    *,
    errors: Mapping[str, str] | None = None,
    problem: Problem | None = None,
) -> Response:
    return pages.page(
        request,
        "staff/refund.html",
        problem=problem,
        errors=errors,
        purchase=purchase,
        here=f"{LIST}/{purchase.id}",
        form=form,
        example=local_amount(major_text(purchase.refundable_cents, purchase.currency), locale=visitors_locale(request)),
        said=told_to_staff(problem) if problem else None,
    )


def _nothing_left(purchase: AdminPurchaseReply) -> Problem:
    """As the API would refuse it."""
    known = {problem.slug: problem for problem in (already_refunded(), nothing_paid(), paid_outside_stripe())}
    return known[str(purchase.not_refundable_because)]
