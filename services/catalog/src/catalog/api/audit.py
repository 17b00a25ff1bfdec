"""The audit log over HTTP."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Response
from pydantic import AfterValidator

from catalog import store
from catalog.api.requests import ADMIN_CACHING, REFUSED, Db, staff
from catalog.audit_views import Changes, change_view
from catalog.cursors import AuditPosition
from chassis.web.cursors import PAGE, Cursor, InvalidCursor, Limit, cut_page, position_of
from chassis.web.openapi import INVALID_REQUEST, problems
from chassis.web.web import storable

AUDIT: Final = "/v1/admin/audit"

Subject = Annotated[
    str | None,
    Query(
        max_length=200,
        description="`addon:` and its id, or `plan:` and its slug; all changes without it",
        examples=["plan:builder"],
    ),
    AfterValidator(lambda text: text if text is None else storable(text)),
]

admin = APIRouter(tags=["audit"], dependencies=[Depends(staff)], responses=REFUSED)


@admin.get(AUDIT, operation_id="list_changes", responses=problems(INVALID_REQUEST, InvalidCursor()))
async def list_changes(
    database: Db, response: Response, subject: Subject = None, limit: Limit = PAGE, cursor: Cursor = None
) -> Changes:
    """Who changed what, with the whole state before and after, the newest first."""
    after = position_of(cursor, AuditPosition)
    async with database.reading() as session:
        found = await store.audit_page(session, subject=subject, after=after, limit=limit + 1)
    response.headers["Cache-Control"] = ADMIN_CACHING
    shown, next_cursor = cut_page(found, limit, lambda entry: AuditPosition(id=entry.id))
    return Changes(items=[change_view(entry) for entry in shown], next_cursor=next_cursor)
