"""What workspaces have claimed of their plans' caps."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, false
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.tables import NOW
from purchases.tables import Row


class WorkspaceResource(Row):
    """A slot that a workspace claimed for one of the host product's resources."""

    __tablename__ = "workspace_resources"

    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"), primary_key=True)
    resource: Mapped[str] = mapped_column(String(64), primary_key=True)
    resource_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    imported: Mapped[bool] = mapped_column(server_default=false(), default=False)
    """It was there when the product moved in, and counts even over the cap."""
    claimed_at: Mapped[datetime] = mapped_column(server_default=NOW)
