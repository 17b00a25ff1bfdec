"""Everything that is not a webhook: a word about the service at `/`, and its documentation."""

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

router = APIRouter()


class About(BaseModel):
    """Which service answers here."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"service": "webhook-gateway"}]})

    service: str


@router.get("/", operation_id="about")
async def about() -> About:
    """Say who answers."""
    return About(service="webhook-gateway")
