"""Staff's page of what Stripe refused."""

from typing import Final
from urllib.parse import urlencode

from fastapi import Request
from starlette.responses import Response

from chassis.pages import AtPages, page_router
from chassis.web.cursors import Cursor
from purchases.web.access import AtDatabase, Staff
from purchases.web.api.staff.refusal_routes import OfPurchase, OfWorkspace, list_stripe_refusals

LIST: Final = "/admin/stripe-refusals"

router = page_router(LIST)


@router.get("")
async def show_stripe_refusals(
    caller: Staff,
    request: Request,
    pages: AtPages,
    database: AtDatabase,
    workspace: OfWorkspace = None,
    purchase: OfPurchase = None,
    cursor: Cursor = None,
) -> Response:
    found = await list_stripe_refusals(caller, database, workspace=workspace, purchase=purchase, cursor=cursor)
    asked = {name: str(value) for name, value in (("workspace", workspace), ("purchase", purchase)) if value}
    more = {**asked, "cursor": found.next_cursor}
    return pages.page(
        request,
        "staff/stripe_refusals.html",
        found=found,
        asked=asked,
        first=f"{LIST}?{urlencode(asked)}" if cursor else None,
        more=f"{LIST}?{urlencode(more)}" if found.next_cursor else None,
        all=LIST,
    )
