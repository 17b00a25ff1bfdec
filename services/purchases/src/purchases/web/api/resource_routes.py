"""The slots that the plan's caps count: claimed before the host product creates a resource, freed after deletion."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Response

from chassis.web.auth import forbidden
from chassis.web.cursors import PAGE, Cursor, InvalidCursor, Limit, Position, cut_page, position_of
from purchases.caps import store as resources
from purchases.caps.claim_resource import (
    ClaimRequest,
    claim_resource,
    free_resource,
    limit_reached,
    plan_not_known,
    resource_not_found,
)
from purchases.subscriptions.plan import Usage
from purchases.web.access import AtDatabase, Claiming
from purchases.web.replies.plan_replies import SlotReply, SlotsReply, slot_reply
from purchases.web.requests import SettingsOfApp
from purchases.web.responses import ONLY_IMPORTERS, of_claimers

router = APIRouter(prefix="/v1/workspaces/{ws}/resources", tags=["plan"])

Resource = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_]{0,39}$", examples=["projects"])]
ResourceId = Annotated[
    str, Path(min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$", description="The host product's own id")
]
Import = Annotated[
    bool, Query(alias="import", description="It was there before: counted even over the cap (scope resources:write)")
]
UNKNOWN: Final = (resource_not_found("rockets"), plan_not_known())


class SlotPosition(Position):
    """Behind which slot."""

    resource: str
    resource_id: str


@router.get("", operation_id="list_resources", responses=of_claimers(InvalidCursor()))
async def list_resources(
    claimer: Claiming,
    database: AtDatabase,
    resource: Annotated[str | None, Query(max_length=40)] = None,
    limit: Limit = PAGE,
    cursor: Cursor = None,
) -> SlotsReply:
    """What the workspace has claimed, by resource and id."""
    position = position_of(cursor, SlotPosition)
    after = (position.resource, position.resource_id) if position else None
    async with database.reading() as session:
        found = await resources.page(
            session, workspace_id=claimer.workspace_id, resource=resource, after=after, limit=limit
        )
    shown, next_cursor = cut_page(
        found, limit, lambda slot: SlotPosition(resource=slot.resource, resource_id=slot.resource_id)
    )
    return SlotsReply(resources=[slot_reply(slot) for slot in shown], next_cursor=next_cursor)


@router.put(
    "/{resource}/{resource_id}",
    operation_id="claim_resource",
    status_code=201,
    responses={
        **of_claimers(
            *UNKNOWN,
            limit_reached(Usage(resource="projects", used=1, limit=1)),
        ),
        200: {"model": SlotReply, "description": "It was claimed before"},
    },
)
async def put_resource(
    claimer: Claiming,
    resource: Resource,
    resource_id: ResourceId,
    database: AtDatabase,
    settings: SettingsOfApp,
    response: Response,
    imported: Import = False,
) -> SlotReply:
    """Claim a slot; repeat it as often as you like."""
    if imported and not claimer.may_import:
        raise forbidden(ONLY_IMPORTERS)
    request = ClaimRequest(
        workspace_id=claimer.workspace_id,
        resource=resource,
        resource_id=resource_id,
        imported=imported,
        bound=settings.claims_per_resource,
    )
    claim = await claim_resource(database=database, request=request)
    response.status_code = 201 if claim.is_new else 200
    return slot_reply(claim.slot)


@router.delete(
    "/{resource}/{resource_id}",
    operation_id="free_resource",
    status_code=204,
    responses=of_claimers(*UNKNOWN),
)
async def delete_resource(claimer: Claiming, resource: Resource, resource_id: ResourceId, database: AtDatabase) -> None:
    """Give the slot back; repeat it as often as you like."""
    async with database.transaction() as session:
        await free_resource(
            session=session, workspace_id=claimer.workspace_id, resource=resource, resource_id=resource_id
        )
