"""Browsers in front of a catalog on real PostgreSQL; without JavaScript, and as far as HTTP goes."""

from dataclasses import dataclass
from typing import Any, Final

import httpx
import pytest

from tests.forms import form_to
from tests.integration.catalog.conftest import STAFF, Catalog, catalog, issuer, migrated, service

__all__ = ["catalog", "issuer", "migrated", "service"]

Json = dict[str, Any]
ORIGIN: Final = "http://127.0.0.1:8000"
ADDONS: Final = "/admin/addons"
MARKUP: Final = '"><script>alert(1)</script>'


@dataclass(frozen=True, kw_only=True)
class Site:
    """The catalog's pages."""

    catalog: Catalog

    def visitor(self, claims: Json | None = None, **headers: str) -> httpx.AsyncClient:
        """Provide somebody's browser; signed in where there are claims."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.catalog.api),
            base_url=ORIGIN,
            headers={"Origin": ORIGIN, **headers},
            cookies={"quittance_session": self.catalog.issuer.mint(claims)} if claims else {},
        )

    def staff(self, **headers: str) -> httpx.AsyncClient:
        """Return the browser of a super_admin."""
        return self.visitor(STAFF, **headers)


@pytest.fixture
def site(catalog: Catalog) -> Site:
    return Site(catalog=catalog)


async def send(browser: httpx.AsyncClient, page: httpx.Response, **typed: str | list[str] | None) -> httpx.Response:
    """Fill the page's own form, the one that it is about, and send it."""
    action = page.request.url.path
    return await browser.post(action, data=form_to(page, action).filled(**typed))
