"""The audit log over HTTP, and what is shown of it."""

from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from catalog import store
from catalog.api.requests import ADMIN_CACHING, REFUSED, Db, staff
from catalog.cursors import AuditPosition
from catalog.tables import AuditEntry
from chassis.web.cursors import PAGE, Cursor, InvalidCursor, Limit, NextCursor, cut_page, position_of
from chassis.web.openapi import INVALID_REQUEST, problems
from chassis.web.web import storable

AUDIT: Final = "/v1/admin/audit"
ALWAYS_DIFFERENT: Final = frozenset({"sequence", "occurred_at"})
BEFORE: Final[dict[str, Any]] = {
    "plan": "builder",
    "sequence": 3,
    "occurred_at": "2026-03-02T09:15:42.118204Z",
    "name": "Builder",
    "caps": {"byok_keys": 20, "projects": 100, "seats": 10},
    "prices": [],
    "stripe_product_id": "quittance-production-builder",
}
EXAMPLE: Final[dict[str, Any]] = {
    "id": 17,
    "occurred_at": "2026-03-02T09:20:11.804417Z",
    "actor": "staff:usr_mira",
    "actor_email": "mira@quittance.example",
    "action": "edited",
    "subject": "plan:builder",
    "changed": ["caps"],
    "before": BEFORE,
    "after": BEFORE
    | {"sequence": 4, "occurred_at": "2026-03-02T09:20:11.804417Z", "caps": {"projects": 200, "seats": 10}},
}


class Change(BaseModel):
    """One change: who did what to what, and the whole state before and after it, as the facts tell it."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    id: int
    occurred_at: datetime
    actor: str = Field(description="`staff:` and the token's subject, or `quittance:` and the part of ours that did it")
    actor_email: str | None
    action: str = Field(description="`created`, `edited`, `withdrawn`, `price-provisioned` or `refused-by-stripe`")
    subject: str = Field(description="`addon:` and its id, or `plan:` and its slug")
    changed: list[str] = Field(description="The fields that differ")
    before: dict[str, Any] | None = Field(description="Null where it was created")
    after: dict[str, Any]


class Changes(BaseModel):
    """A page of changes, the newest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [EXAMPLE], "next_cursor": "eyJpZCI6MTd9"}]})

    items: list[Change]
    next_cursor: NextCursor


def change_view(entry: AuditEntry) -> Change:
    """Return the entry as staff see it."""
    before = entry.before or {}
    fields = sorted(entry.after.keys() - ALWAYS_DIFFERENT)
    return Change(
        id=entry.id,
        occurred_at=entry.occurred_at,
        actor=entry.actor,
        actor_email=entry.actor_email,
        action=entry.action,
        subject=entry.subject,
        changed=[field for field in fields if field not in before or before[field] != entry.after[field]],
        before=entry.before,
        after=entry.after,
    )


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
