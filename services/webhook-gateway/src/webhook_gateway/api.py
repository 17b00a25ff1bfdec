"""Everything that is not a webhook: a word about the service at `/`, and its documentation."""

from fastapi import APIRouter
from pydantic import BaseModel

router = APIRouter()


class About(BaseModel):
    """Which service answers here."""

    service: str


@router.get("/", operation_id="about")
async def about() -> About:
    """Say who answers."""
    return About(service="webhook-gateway")
