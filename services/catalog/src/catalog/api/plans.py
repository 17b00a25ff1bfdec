"""Plans over HTTP: the public list, and their administration."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Request, Response

from catalog.api.requests import (
    CONFLICTS,
    IF_NONE_MATCH,
    NOT_MODIFIED,
    REFUSED,
    Db,
    IfMatch,
    Staff,
    admin_headers,
    answer_list,
    now,
    staff,
)
from catalog.handlers import plans as handlers
from catalog.handlers.plans import FreePlanPriced, PlanNotFound, PriceGivenTwice
from catalog.plan_bodies import PlanEdit
from catalog.plan_views import AdminPlan, PublicPlans, admin_plan
from catalog.prices import every_refusal
from catalog.tables import Plan
from chassis.web.openapi import INVALID_REQUEST, NOTHING_HERE, UNREADABLE, problems

ADMIN_PLAN: Final = "/v1/admin/plans/{slug}"

Slug = Annotated[str, Path(description="`free` or `builder`", examples=["builder"])]

UNKNOWN: Final = problems(PlanNotFound(), NOTHING_HERE)
EDIT_REFUSED: Final = problems(*UNREADABLE, INVALID_REQUEST, *every_refusal(), PriceGivenTwice(), FreePlanPriced())

public = APIRouter(tags=["price list"])
admin = APIRouter(tags=["plans"], dependencies=[Depends(staff)], responses=REFUSED)


@public.get(
    "/v1/plans",
    operation_id="list_plans",
    response_model=PublicPlans,
    responses=NOT_MODIFIED,
    openapi_extra={"parameters": [IF_NONE_MATCH]},
)
async def list_plans(request: Request) -> Response:
    """The plans with their caps and prices, the free one first. Needs no token."""
    return await answer_list(request, request.app.state.plan_list)


@admin.get(ADMIN_PLAN, operation_id="show_plan", responses=UNKNOWN)
async def show_plan(slug: Slug, database: Db, response: Response) -> AdminPlan:
    """One plan, with the ETag that an edit needs."""
    async with database.reading() as session:
        return _shown(await handlers.show_plan(session=session, slug=slug), response)


@admin.patch(ADMIN_PLAN, operation_id="edit_plan", responses=UNKNOWN | CONFLICTS | EDIT_REFUSED)
async def edit_plan(
    slug: Slug,
    edit: PlanEdit,
    by: Staff,
    database: Db,
    request: Request,
    response: Response,
    if_match: IfMatch = None,
) -> AdminPlan:
    """Change name, caps or prices. Subscriptions already running keep their price; caps change for everyone at once."""
    async with database.transaction() as session:
        plan = await handlers.edit_plan(session=session, slug=slug, if_match=if_match, edit=edit, by=by, now=now())
    request.app.state.plan_list.forget()
    return _shown(plan, response)


def _shown(plan: Plan, response: Response) -> AdminPlan:
    response.headers.update(admin_headers(plan.sequence))
    return admin_plan(plan)
