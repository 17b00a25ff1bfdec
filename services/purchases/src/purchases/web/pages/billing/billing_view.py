"""What the billing page shows: the plan, what is under way, and the offer."""

import hashlib
import re
import time
import uuid
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from chassis.pages import Words
from chassis.problems import Problem
from purchases.buying.offer_addons import offer_addons
from purchases.caps.read_billing import Billing, read_billing
from purchases.checkout.upgrade_begun import Begun, upgrade_begun
from purchases.web.pages.awaited import trigger_after
from purchases.web.pages.billing.billing_news import AWAITED, LIVE, Back, News, news_of
from purchases.web.pages.billing.billing_offer import Chosen, upgrade_offer
from purchases.web.pages.billing.plan_words import AT_THE_BANK_NOW, AWAITED_NOW, INTERVALS, resource_name, said_of
from purchases.web.pages.paths import billing_path
from purchases.web.pages.switching import others
from purchases.web.pages.visit import WorkspaceVisit
from purchases.web.pages.words import IN_A_BUNDLE, PAID_BEFORE, words_for
from purchases.web.replies.plan_replies import billing_reply

KEY: Final = re.compile(r"[\x21-\x7e]{1,255}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingQuery:
    """What an address of the page says: back from which Checkout, or from the portal, when, and in which currency."""

    checkout: str | None = None
    portal: str | None = None
    currency: str | None = None
    since: int | None = None
    """Seconds since 1970; None for now."""

    @property
    def key(self) -> str | None:
        """The key of the request that opened the Checkout; what cannot be one is none."""
        return self.checkout if self.checkout and KEY.fullmatch(self.checkout) else None

    @property
    def back(self) -> Back:
        now = int(time.time())
        since = now if self.since is None else self.since
        return Back(checkout=self.key is not None, portal=self.portal is not None, since=since, now=now)


async def billing_page(
    visit: WorkspaceVisit, query: BillingQuery, *, problem: Problem | None = None, chosen: Chosen | None = None
) -> Response:
    """Show the page as it is now; with a problem, which says what became of a form, and what was chosen in it."""
    async with visit.database.reading() as session:
        shown = await _shown(session, visit, query, chosen)
        shown["others"] = await others(session, visit, billing_path)
    if problem is None:
        return visit.page("billing.html", refused=None, **shown)
    return visit.page("billing.html", problem=problem, refused=_words(visit, problem), **shown)


async def billing_live(visit: WorkspaceVisit, query: BillingQuery, *, seen: str) -> Response:
    """Show the parts of the page that are others than those `seen`; 204 while there are none.

    The plan stays as it is while only the news changed: something may be half chosen there.
    """
    async with visit.database.reading() as session:
        shown = await _shown(session, visit, query, None)
    if shown["seen"] == seen:
        return Response(status_code=204, headers={"Cache-Control": "no-store"})
    plan_changed = _plan_in(shown["seen"]) != _plan_in(seen)
    return visit.page("billing_live.html", plan_changed=plan_changed, **shown)


async def _shown(
    session: AsyncSession, visit: WorkspaceVisit, query: BillingQuery, chosen: Chosen | None
) -> dict[str, Any]:
    workspace, is_owner = visit.workspace, visit.is_owner
    billing = await read_billing(session=session, workspace=workspace)
    begun = await upgrade_begun(session=session, workspace_id=workspace.id, key=query.key)
    news = news_of(begun, query.back, may_go_on=is_owner and not billing.is_subscribed)
    sells = is_owner and not billing.is_subscribed and news not in AWAITED
    offers = await offer_addons(session=session, workspace_id=workspace.id) if sells else ()
    currency = (chosen.currency if chosen else None) or query.currency
    reply = billing_reply(billing, support_email=visit.settings.support_email)
    awaited = AT_THE_BANK_NOW if news is News.AT_THE_BANK else AWAITED_NOW
    said = awaited if news in AWAITED else said_of(reply.subscription, reply.next_charge)
    trigger = trigger_after(query.back.waited) if news in LIVE else None
    return {
        "workspace": workspace,
        "here": billing_path(workspace.id),
        "is_owner": is_owner,
        "is_subscribed": billing.is_subscribed,
        "has_customer": workspace.stripe_customer_id is not None,
        "billing": reply,
        "said": said,
        "price_cents": _price(billing),
        "intervals": INTERVALS,
        "resource_name": resource_name,
        "sells": sells,
        "offer": upgrade_offer(billing, offers, currency=currency) if sells else None,
        "chosen": chosen or Chosen(key=uuid.uuid4()),
        "begun": begun,
        "news": news,
        "live": _live(query, begun) if news in LIVE else None,
        "trigger": trigger,
        "seen": f"{news}, {trigger}.{_digest(sells, said, reply.model_dump_json())}",
    }


def _words(visit: WorkspaceVisit, problem: Problem) -> Words:
    if problem.slug == "already-purchased" and "purchase_ids" in problem.extra:
        return PAID_BEFORE
    return words_for(problem, IN_A_BUNDLE) or visit.words(problem)


def _price(billing: Billing) -> int | None:
    """Return what the subscription costs, in minor units; None at a price that the plan has no more."""
    has = billing.subscription.stripe_price_id if billing.subscription else None
    prices = billing.on_offer.prices if billing.on_offer and has else []
    return next((price["price_cents"] for price in prices if price["stripe_price_id"] == has), None)


def _live(query: BillingQuery, begun: Begun | None) -> str:
    """Return the query that the page asks for itself with; an upgrade that it found by itself is under its key then."""
    key = query.key or (begun.checkout.idempotency_key if begun and query.portal is None else None)
    said = {"checkout": key, "portal": query.portal, "since": query.back.since}
    return urlencode({name: value for name, value in said.items() if value is not None})


def _plan_in(seen: str) -> str:
    return seen.rpartition(".")[2]


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
