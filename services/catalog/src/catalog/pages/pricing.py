"""The public price page: what anybody sees before buying."""

from typing import Annotated, Final

from fastapi import Depends, Request
from starlette.responses import Response

from catalog.api.requests import PUBLIC_CACHING
from catalog.etags import digest_etag, is_known
from catalog.pages.frame import of_workspace, workspace_of
from catalog.plan_views import PublicPlan, PublicPlans
from catalog.views import PublicAddons
from chassis.pages import AtPages, page_router
from chassis.problems import Problem
from chassis.web.auth import Caller, Role, current_caller

OWN_CACHING: Final = "private, no-cache"
RESOURCES: Final = {"byok_keys": "Own API keys"}
"""Names that do not read well as they are."""

router = page_router()


async def visitor(request: Request) -> Caller | None:
    """Return who is signed in, if anybody is: a session that is over hides no prices."""
    try:
        return await current_caller(request, None)
    except Problem:
        return None


Visitor = Annotated[Caller | None, Depends(visitor)]


@router.get("/pricing")
async def show_prices(request: Request, pages: AtPages, person: Visitor) -> Response:
    """Show the API's lists, from the same memory; the ETag is of the page, with its language and its visitor."""
    plans = PublicPlans.model_validate_json((await request.app.state.plan_list.current()).body).items
    addons = PublicAddons.model_validate_json((await request.app.state.price_list.current()).body).items
    workspace_id = workspace_of(request, person) if person else None
    page = pages.page(
        request,
        "pricing.html",
        headers={"Cache-Control": OWN_CACHING if person else PUBLIC_CACHING},
        plans=[(plan, caps_of(plan)) for plan in plans],
        addons=addons,
        own={link.label: link.href for link in of_workspace(person, workspace_id)} if person and workspace_id else {},
        may_choose=person is not None and workspace_id is not None and person.role_in(workspace_id) is Role.OWNER,
    )
    page.headers["ETag"] = etag = digest_etag(bytes(page.body))
    if is_known(if_none_match=request.headers.get("if-none-match"), etag=etag):
        kept = {name: page.headers[name] for name in ("ETag", "Cache-Control", "Vary")}
        return Response(status_code=304, headers=kept)
    return page


def caps_of(plan: PublicPlan) -> list[tuple[str, str]]:
    """Return how much one may have of what, in words."""
    return [
        (RESOURCES.get(name) or name.replace("_", " ").capitalize(), "no limit" if most is None else str(most))
        for name, most in plan.caps.items()
    ]
