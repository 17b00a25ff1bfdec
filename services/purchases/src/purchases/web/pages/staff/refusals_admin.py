"""Staff's page of what Stripe refused."""

from typing import Final
from urllib.parse import urlencode

from starlette.responses import Response

from chassis.pages import page_router
from chassis.web.cursors import Cursor
from purchases.web.pages.visit import StaffVisit
from purchases.web.reading import list_refusals
from purchases.web.searching import MetByPurchase, MetByWorkspace

LIST: Final = "/admin/stripe-refusals"

router = page_router(LIST)


@router.get("")
async def show_stripe_refusals(
    visit: StaffVisit, workspace: MetByWorkspace = None, purchase: MetByPurchase = None, cursor: Cursor = None
) -> Response:
    found = await list_refusals(visit.database, workspace_id=workspace, purchase_id=purchase, cursor=cursor)
    filters = {name: str(value) for name, value in (("workspace", workspace), ("purchase", purchase)) if value}
    more = {**filters, "cursor": found.next_cursor}
    return visit.page(
        "staff/stripe_refusals.html",
        found=found,
        filters=filters,
        first=f"{LIST}?{urlencode(filters)}" if cursor else None,
        more=f"{LIST}?{urlencode(more)}" if found.next_cursor else None,
        all=LIST,
    )
