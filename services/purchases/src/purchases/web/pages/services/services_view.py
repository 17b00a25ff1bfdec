"""What the Services page shows: the offers, the history, and news of one purchase or one refusal."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from chassis.database.database import Database
from chassis.pages import Pages, Words
from chassis.problems import Problem
from purchases.buying.offer_addons import Offer, offer_addons
from purchases.checkout import store as checkouts
from purchases.ledger import search
from purchases.ledger import store as ledger
from purchases.ledger.publish import paid_outside_stripe_cents
from purchases.ledger.rows import Purchase
from purchases.ledger.search import PurchaseQuery
from purchases.ledger.transitions import Status, Step, Trigger, decide
from purchases.web.pages.awaited import Watch, wait_of, watch_of
from purchases.web.pages.badges import BADGES
from purchases.web.pages.paths import billing_path, services_path
from purchases.web.pages.services.declines import why_declined
from purchases.web.pages.services.money_back import money_back, paid_cents
from purchases.web.pages.switching import others
from purchases.web.pages.words import words_for
from purchases.web.searching import after_of, next_cursor_of
from purchases.workspaces.rows import Workspace

PAGE: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What an address of the page says: news of which purchase, back from where, how far down the history."""

    about: str | None = None
    returned: str | None = None
    """What the bank is said to have answered about it."""
    back: str | None = None
    cursor: str | None = None


async def services_page(
    request: Request,
    pages: Pages,
    database: Database,
    workspace: Workspace,
    asked: Asked,
    problem: Problem | None = None,
    *,
    words: Mapping[str, Words] = MappingProxyType({}),
) -> Response:
    """The page as it is now; with a problem, which says what became of a form, and with its status.

    `words` are for the problems that mean something else there than elsewhere.
    """
    workspace_id = workspace.id
    after = after_of(asked.cursor)
    async with database.reading() as session:
        offers = await offer_addons(session=session, workspace_id=workspace_id)
        found = await search.page(session, PurchaseQuery(workspace_id=workspace_id), after=after, limit=PAGE + 1)
        news = await _news(session, workspace_id, asked) if problem is None else None
        live = await checkouts.live(session, workspace_id)
        elsewhere = await others(session, request, workspace, services_path)
    watch, unsaid = watch_of(returned=asked.returned), watch_of()
    return pages.page(
        request,
        "services.html",
        problem=problem,
        **shown(workspace_id),
        wait_of=lambda purchase: wait_of(purchase, live, watch if news and purchase.id == news.id else unsaid),
        workspace=workspace,
        others=elsewhere,
        offers=offers,
        purchases=found[:PAGE],
        next_cursor=next_cursor_of(found, PAGE),
        news=news,
        refused=(words_for(problem, words) or pages.for_people(request, problem)) if problem else None,
        setup_url=problem.extra.get("setup_url") if problem else None,
        back_for=_offered(offers, asked.back) if news is None and problem is None else None,
        back=asked.back is not None and news is None and problem is None,
    )


async def purchase_live(
    request: Request,
    pages: Pages,
    database: Database,
    workspace_id: str,
    purchase: Purchase,
    *,
    watch: Watch,
    was_pending: bool,
) -> Response:
    """The purchase's row as it is now, once it is settled also its card, and the news where it `was_pending` before."""
    async with database.reading() as session:
        offers = await offer_addons(session=session, workspace_id=workspace_id)
        live = await checkouts.live(session, workspace_id)
    settled = purchase.status is not Status.PENDING
    its_own = [offer for offer in offers if settled and offer.addon.id == purchase.plan_addon_id]
    return pages.page(
        request,
        "services_live.html",
        **shown(workspace_id),
        wait_of=lambda purchase: wait_of(purchase, live, watch),
        purchase=purchase,
        offers=its_own,
        settled=settled,
        is_news=settled and was_pending,
    )


def shown(workspace_id: str) -> Mapping[str, Any]:
    """What the parts of the page need beside their purchase or offer."""
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
    """Whether its buyer may still cancel it: not while a bank is at work on its payment."""
    return purchase.waiting_for is None and isinstance(decide(status=purchase.status, trigger=Trigger.CANCELLED), Step)


async def _news(session: AsyncSession, workspace_id: str, asked: Asked) -> Purchase | None:
    """The purchase that is asked about."""
    purchase_id = _uuid(asked.about)
    return await ledger.find(session, purchase_id, workspace_id=workspace_id) if purchase_id else None


def _uuid(text: str | None) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        return None


def _offered(offers: Sequence[Offer], slug: str | None) -> Offer | None:
    return next((offer for offer in offers if offer.addon.slug == slug and offer.refusal is None), None)
