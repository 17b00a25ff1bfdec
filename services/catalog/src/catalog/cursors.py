"""Where a page of the catalog's lists goes on."""

from typing import Annotated

from pydantic import Field

from chassis.web.cursors import Position


class AddonPosition(Position):
    """Behind which add-on, in the order of the page."""

    sort_order: Annotated[int, Field(ge=-(2**31), lt=2**31)]
    name: str
    slug: str


class AuditPosition(Position):
    """Behind which entry, the newest first."""

    id: Annotated[int, Field(ge=0, lt=2**63)]
