"""What the Services page shows: the offers, the history, and news of one purchase or one refusal."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from chassis.pages import Words
from chassis.problems import Problem
from purchases.buying.offer_addons import Offer, offer_addons
from purchases.checkout import store as checkouts
from purchases.ledger import store as ledger
from purchases.ledger.publish import paid_outside_stripe_cents
from purchases.ledger.rows import Purchase
from purchases.ledger.search import PurchaseQuery
from purchases.ledger.transitions import Status, Step, Trigger, decide
from purchases.web.pages.awaited import Watch, wait_of, watch_of
from purchases.web.pages.paths import billing_path, services_path
from purchases.web.pages.services.money_back import money_back, paid_cents
from purchases.web.pages.switching import others
from purchases.web.pages.visit import WorkspaceVisit
from purchases.web.pages.words import BADGES, words_for
from purchases.web.searching import page_of

PAGE: Final = 20
ANY: Final = "The bank did not say why."
DECLINES: Final[Mapping[str, str]] = {
    "insufficient_funds": "There is not enough money on the card.",
    "expired_card": "The card has expired.",
    "incorrect_cvc": "The card's security code is wrong.",
    "incorrect_number": "The card's number is wrong.",
    "processing_error": "The bank could not process it just now.",
    "card_velocity_exceeded": "The card's limit is reached.",
    "withdrawal_count_limit_exceeded": "The card's limit is reached.",
    "card_not_supported": "The card cannot be used for this.",
    "currency_not_supported": "The card does not take this currency.",
    "authentication_required": "The bank wants the payment to be confirmed, and it was not.",
    "payment_intent_authentication_failure": "The payment was not confirmed at the bank.",
}
"""What a bank's word means for the person whose card it is. Source: docs.stripe.com/declines/codes."""


def why_declined(code: str | None) -> str:
    """Return why, and never more than the bank says to everyone: a stolen card's holder is not warned."""
    return DECLINES.get(code or "", ANY)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicesQuery:
    """What an address of the page says: news of which purchase, back from where, how far down the history."""

    about: str | None = None
    returned: str | None = None
    """What the bank is said to have answered about it."""
    back: str | None = None
    cursor: str | None = None


async def services_page(
    visit: WorkspaceVisit,
    query: ServicesQuery,
    problem: Problem | None = None,
    *,
    words: Mapping[str, Words] = MappingProxyType({}),
) -> Response:
    """Show the page as it is now; with a problem, which says what became of a form, and with its status.

    `words` are for the problems that mean something else there than elsewhere.
    """
    workspace_id = visit.workspace.id
    async with visit.database.reading() as session:
        offers = await offer_addons(session=session, workspace_id=workspace_id)
        purchases, next_cursor = await page_of(
            session, PurchaseQuery(workspace_id=workspace_id), limit=PAGE, cursor=query.cursor
        )
        news = await _news(session, workspace_id, query) if problem is None else None
        live = await checkouts.live(session, workspace_id)
        elsewhere = await others(session, visit, services_path)
    watch, unwatched = watch_of(returned=query.returned), watch_of()
    return visit.page(
        "services.html",
        problem=problem,
        **shown(workspace_id),
        wait_of=lambda purchase: wait_of(purchase, live, watch if news and purchase.id == news.id else unwatched),
        workspace=visit.workspace,
        others=elsewhere,
        offers=offers,
        purchases=purchases,
        next_cursor=next_cursor,
        news=news,
        refused=(words_for(problem, words) or visit.words(problem)) if problem else None,
        setup_url=problem.extra.get("setup_url") if problem else None,
        back_for=_offered(offers, query.back) if news is None and problem is None else None,
        back=query.back is not None and news is None and problem is None,
    )


async def purchase_live(visit: WorkspaceVisit, purchase: Purchase, *, watch: Watch, was_pending: bool) -> Response:
    """Show the purchase's row as it is now, once settled also its card, and the news where it `was_pending` before."""
    workspace_id = visit.workspace.id
    async with visit.database.reading() as session:
        offers = await offer_addons(session=session, workspace_id=workspace_id)
        live = await checkouts.live(session, workspace_id)
    settled = purchase.status is not Status.PENDING
    its_own = [offer for offer in offers if settled and offer.addon.id == purchase.plan_addon_id]
    return visit.page(
        "services_live.html",
        **shown(workspace_id),
        wait_of=lambda purchase: wait_of(purchase, live, watch),
        purchase=purchase,
        offers=its_own,
        settled=settled,
        is_news=settled and was_pending,
    )


def shown(workspace_id: str) -> Mapping[str, Any]:
    """Return what the parts of the page need beside their purchase or offer."""
    return {
        "here": services_path(workspace_id),
        "plan_page": billing_path(workspace_id),
        "badges": BADGES,
        "why_declined": why_declined,
        "can_cancel": can_cancel,
        "paid_cents": paid_cents,
        "money_back": money_back,
        "paid_outside_cents": paid_outside_stripe_cents,
        "new_key": lambda: uuid.uuid4().hex,
    }


def can_cancel(purchase: Purchase) -> bool:
    """Return whether its buyer may still cancel it: not while a bank is at work on its payment."""
    return purchase.waiting_for is None and isinstance(decide(status=purchase.status, trigger=Trigger.CANCELLED), Step)


async def _news(session: AsyncSession, workspace_id: str, query: ServicesQuery) -> Purchase | None:
    """Return the purchase that the address is about."""
    purchase_id = _uuid(query.about)
    return await ledger.find(session, purchase_id, workspace_id=workspace_id) if purchase_id else None


def _uuid(text: str | None) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        return None


def _offered(offers: Sequence[Offer], slug: str | None) -> Offer | None:
    return next((offer for offer in offers if offer.addon.slug == slug and offer.refusal is None), None)
