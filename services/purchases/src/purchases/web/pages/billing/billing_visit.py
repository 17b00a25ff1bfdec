"""Who looks at whose plan, and with what the page answers."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from chassis.database.database import Database
from chassis.pages import AtPages, Pages
from chassis.web.auth import Caller, CurrentCaller
from purchases.settings import Settings
from purchases.web.access import AtDatabase, Member, Owner
from purchases.web.requests import SettingsOfApp, own_page
from purchases.web.rights import Standing, standing
from purchases.workspaces.rows import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request for the page."""

    request: Request
    pages: Pages
    database: Database
    settings: Settings
    workspace: Workspace
    caller: Caller

    @property
    def is_owner(self) -> bool:
        """The registered one: nobody else may upgrade, or open the portal."""
        role, is_staff = self.caller.role_in(self.workspace.id), self.caller.is_staff
        owner_id = self.workspace.owner_user_id
        known = standing(role=role, subject=self.caller.subject, owner_id=owner_id, is_staff=is_staff)
        return known is Standing.OWNER

    @property
    def address(self) -> str:
        """The page's whole address, for Stripe to lead back to."""
        return own_page(self.settings, self.workspace.id, "settings/billing")


async def member_visit(
    request: Request,
    pages: AtPages,
    workspace: Member,
    caller: CurrentCaller,
    database: AtDatabase,
    settings: SettingsOfApp,
) -> Visit:
    """Everyone in the workspace, and platform staff. Raises 404 for a stranger."""
    return Visit(request=request, pages=pages, database=database, settings=settings, workspace=workspace, caller=caller)


async def owner_visit(
    request: Request,
    pages: AtPages,
    workspace: Owner,
    caller: CurrentCaller,
    database: AtDatabase,
    settings: SettingsOfApp,
) -> Visit:
    """The registered owner. Raises 404 for a stranger, 403 for everyone else."""
    return await member_visit(request, pages, workspace, caller, database, settings)


MemberVisit = Annotated[Visit, Depends(member_visit)]
OwnerVisit = Annotated[Visit, Depends(owner_visit)]
