"""The public API of purchases: one router per audience."""

from fastapi import APIRouter

<<<<<<< Updated upstream
from purchases.api import parked_routes, purchase_routes, session_routes, staff_routes, workspace_routes

router = APIRouter(prefix="/v1")
for part in (workspace_routes, purchase_routes, session_routes, staff_routes, parked_routes):
=======
from purchases.api import (
    billing_routes,
    purchase_routes,
    resource_routes,
    session_routes,
    staff_routes,
    workspace_routes,
)

router = APIRouter(prefix="/v1")
for part in (workspace_routes, purchase_routes, session_routes, billing_routes, resource_routes, staff_routes):
>>>>>>> Stashed changes
    router.include_router(part.router)
