"""Somebody of platform staff in front of the pages, without JavaScript."""

from typing import Any, Final

import httpx

from purchases.ledger.rows import Purchase
from tests.forms import form_to
from tests.integration.purchases_pages.conftest import ORIGIN, Site

Json = dict[str, Any]
MIRA: Final = {"sub": "mira", "platform_role": "super_admin"}
PURCHASES: Final = "/admin/purchases"
PARKED: Final = "/admin/parked"
MARKUP: Final = '"><script>alert(1)</script>'
NOBODYS: Final = "6f1b0c9e-2d4a-4e57-9a83-5c0d7e1f2b46"


def browser(site: Site, claims: Json | None = None, **headers: str) -> httpx.AsyncClient:
    """Mira's, unless there are other claims; without a session where they are empty."""
    claims = MIRA if claims is None else claims
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=site.app),
        base_url=ORIGIN,
        headers={"Origin": ORIGIN, **headers},
        cookies={"quittance_session": site.issuer.mint(claims)} if claims else {},
    )


def of(purchase: Purchase, move: str = "") -> str:
    """The path of its page, or of the page of a move."""
    return f"{PURCHASES}/{purchase.id}{'/' + move if move else ''}"


def nobodys(move: str = "") -> str:
    """The same of a purchase that nobody made."""
    return f"{PURCHASES}/{NOBODYS}{'/' + move if move else ''}"


async def send(staff: httpx.AsyncClient, page: httpx.Response, **typed: str | None) -> httpx.Response:
    """Fill the page's own form, the one that it is about, and send it."""
    action = page.request.url.path
    return await staff.post(action, data=form_to(page, action).filled(**typed))


async def refunded(staff: httpx.AsyncClient, purchase: Purchase, **typed: str) -> httpx.Response:
    """Through the form, and the page that asks once more."""
    review = await send(staff, await staff.get(of(purchase, "refund")), step="review", **typed)
    assert review.status_code == 200, review.text
    return await send(staff, review, step="do")
