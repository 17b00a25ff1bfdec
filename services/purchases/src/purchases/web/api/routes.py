"""The public API of purchases: one router per audience."""

from fastapi import APIRouter

from purchases.web.api import plan_routes, purchase_routes, resource_routes, session_routes, workspace_routes
from purchases.web.api.staff import parked_routes, refusal_routes, staff_move_routes, staff_routes

router = APIRouter()
for part in (
    workspace_routes,
    purchase_routes,
    session_routes,
    plan_routes,
    resource_routes,
    staff_routes,
    staff_move_routes,
    parked_routes,
    refusal_routes,
):
    router.include_router(part.router)
