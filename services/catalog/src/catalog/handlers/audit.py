"""Who changed what, for staff to read."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from catalog import store
from catalog.cursors import AuditPosition
from catalog.tables import AuditEntry


async def list_changes(
    *, session: AsyncSession, subject: str | None, after: AuditPosition | None, limit: int
) -> Sequence[AuditEntry]:
    """Return up to `limit` changes behind `after`, the newest first, of one subject or of all."""
    return await store.audit_page(session, subject=subject, after=after, limit=limit)
