"""One request for a page: who asks, of which workspace, with what the page answers, and what a form's page showed."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Annotated, Any, Final

from fastapi import Depends, Request
from starlette.responses import Response

from chassis.database.database import Database
from chassis.pages import AtPages, Pages, Words
from chassis.pages.forms import typed
from chassis.problems import Problem
from chassis.web.auth import Caller, CurrentCaller
from purchases.ledger.transitions import Status
from purchases.settings import Settings
from purchases.web.access import AtDatabase, Buyer, Member, Staff
from purchases.web.budget import SpendingBuyer, SpendingOwner
from purchases.web.requests import SettingsOfApp, own_page
from purchases.web.rights import Standing, standing
from purchases.workspaces.rows import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Somebody who asks for a page."""

    request: Request
    pages: Pages
    database: Database
    settings: Settings
    caller: Caller

    @property
    def actor(self) -> str:
        """The person, as histories name one."""
        return f"{'staff' if self.caller.is_staff else 'user'}:{self.caller.subject}"

    async def fields(self) -> dict[str, str]:
        """Return what was typed in the form that was sent; of a field given twice the last."""
        return dict(await typed(self.request))

    def page(self, template: str, /, **shown: Any) -> Response:
        """Return the page; with a `problem` it has its status, with `errors` 422."""
        return self.pages.page(self.request, template, **shown)

    def words(self, problem: Problem) -> Words:
        """Return what the problem says to people."""
        return self.pages.for_people(self.request, problem)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceVisit(Visit):
    """Somebody who asks for a page of a workspace."""

    workspace: Workspace

    @property
    def is_owner(self) -> bool:
        """The registered one: nobody else may upgrade, or open the portal."""
        role, is_staff = self.caller.role_in(self.workspace.id), self.caller.is_staff
        owner_id = self.workspace.owner_user_id
        known = standing(role=role, subject=self.caller.subject, owner_id=owner_id, is_staff=is_staff)
        return known is Standing.OWNER

    def address(self, page: str) -> str:
        """Return the whole address of one of the workspace's pages, for Stripe to lead back to."""
        return own_page(self.settings, self.workspace.id, page)


async def anybodys_visit(
    request: Request, pages: AtPages, caller: CurrentCaller, database: AtDatabase, settings: SettingsOfApp
) -> Visit:
    """Return the visit of whoever is signed in. Raises 401."""
    return Visit(request=request, pages=pages, caller=caller, database=database, settings=settings)


AnyVisit = Annotated[Visit, Depends(anybodys_visit)]


async def staff_visit(_: Staff, visit: AnyVisit) -> Visit:
    """Return the visit of platform staff. Raises 403."""
    return visit


async def member_visit(workspace: Member, visit: AnyVisit) -> WorkspaceVisit:
    """Return the visit of anyone in the workspace, or of platform staff. Raises 404 for a stranger."""
    return _of(workspace, visit)


async def buyer_visit(workspace: Buyer, visit: AnyVisit) -> WorkspaceVisit:
    """Return the visit of the workspace's owner or admin. Raises 404 for a stranger, 403 for everyone else."""
    return _of(workspace, visit)


async def spending_buyer_visit(workspace: SpendingBuyer, visit: AnyVisit) -> WorkspaceVisit:
    """Return the visit of an owner or admin whose request calls Stripe. Raises 404, 403, 429."""
    return _of(workspace, visit)


async def spending_owner_visit(workspace: SpendingOwner, visit: AnyVisit) -> WorkspaceVisit:
    """Return the visit of the registered owner whose request calls Stripe. Raises 404, 403, 429."""
    return _of(workspace, visit)


StaffVisit = Annotated[Visit, Depends(staff_visit)]
MemberVisit = Annotated[WorkspaceVisit, Depends(member_visit)]
BuyerVisit = Annotated[WorkspaceVisit, Depends(buyer_visit)]
SpendingBuyerVisit = Annotated[WorkspaceVisit, Depends(spending_buyer_visit)]
SpendingOwnerVisit = Annotated[WorkspaceVisit, Depends(spending_owner_visit)]


def _of(workspace: Workspace, visit: Visit) -> WorkspaceVisit:
    given: dict[str, Any] = {field.name: getattr(visit, field.name) for field in fields(Visit)}
    return WorkspaceVisit(**given, workspace=workspace)


LONGEST_NUMBER: Final = 18


def status_in(fields: Mapping[str, str]) -> Status | None:
    """Return the purchase's status as the form's page showed it: nobody decides about what they did not see."""
    return next((status for status in Status if status.value == fields.get("status")), None)


def seen_in(fields: Mapping[str, str]) -> int:
    """Return how far the history went, which only grows; 0, nothing was seen, without such a field."""
    seen = fields.get("seen", "")
    return int(seen) if seen.isascii() and seen.isdecimal() and len(seen) < LONGEST_NUMBER else 0
