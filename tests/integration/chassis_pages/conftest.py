"""A service with one page, as services have them, and the sandbox's issuer to sign in with."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import httpx
import pytest
from fastapi import FastAPI, Form, Request
from pydantic import BaseModel, Field, SecretStr
from starlette.responses import Response

from chassis.pages import AtPages, NavLink, Pages, PageSettings, SignInSettings, Words, assets, page_router
from chassis.pages.elsewhere import install_elsewhere
from chassis.pages.session_routes import session_router
from chassis.pages.sign_in import SignIn
from chassis.pages.site import see_other
from chassis.problems import Problem
from chassis.process.settings import ServiceSettings
from chassis.web.auth import Caller, CurrentCaller, TokenVerifier, require_staff
from chassis.web.jwks import Jwks
from chassis.web.server import HttpServer
from chassis.web.web import web_app
from sandbox.issuer import Client, Issuer, application
from sandbox.ports import LOOPBACK

ORIGIN: Final = "https://pages.example"
AUDIENCE: Final = "quittance"
BANK: Final = "https://bank.example/confirm?id=1&x=2"


class Note(BaseModel):
    text: Annotated[str, Field(min_length=1, max_length=20)]


@dataclass(kw_only=True)
class Site:
    """The service, its issuer, and what it did."""

    app: FastAPI
    issuer: Issuer
    issuer_url: str
    kept: list[str] = field(default_factory=list)

    def visitor(self, *, token: str | None = None, headers: dict[str, str] | None = None) -> httpx.AsyncClient:
        """A browser, as far as it counts here; with `token` it is signed in."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.app),
            base_url=ORIGIN,
            headers={"Origin": ORIGIN, **(headers or {})},
            cookies={self.cookie: token} if token else {},
        )

    @property
    def cookie(self) -> str:
        """What the session's cookie is called here."""
        return str(self.app.state.session_cookie)

    def token(self, **claims: Any) -> str:
        return self.issuer.mint({"sub": "olga", **claims})


@pytest.fixture(scope="module")
async def issuer() -> AsyncIterator[tuple[Issuer, str]]:
    client = Client(client_id="pages", secret="a secret", redirect_uri=f"{ORIGIN}/session/callback")
    issuer = Issuer(issuer="", audience=AUDIENCE)
    async with HttpServer(application(issuer, client), LOOPBACK, 0) as server:
        issuer.issuer = f"http://{LOOPBACK}:{server.port}"
        yield issuer, issuer.issuer


@pytest.fixture
async def site(issuer: tuple[Issuer, str]) -> Site:
    return make_site(*issuer, app_env="production")


def make_site(
    issuer: Issuer, url: str, *, app_env: str, oidc_url: str | None = None, parameters: Mapping[str, Any] | None = None
) -> Site:
    """`oidc_url` is where the issuer is looked for; `parameters` is what else signing in knows."""
    settings = ServiceSettings(app_env=app_env, public_base_url=f"{ORIGIN}/", support_email="help@pages.example")
    verifier = TokenVerifier(Jwks(f"{url}/.well-known/jwks.json"), url, AUDIENCE)
    app = web_app("Notes", settings, verifier, passes=lambda error: isinstance(error, ConnectionError))
    site = Site(app=app, issuer=issuer, issuer_url=url)
    pages = Pages(
        package="tests.integration.chassis_pages",
        settings=settings,
        page_settings=PageSettings(pages_form_targets=("https://checkout.example",)),
        nav=_nav,
        ways_on=_ways_on,
        words={"too-late": Words(what="It was too late. Nothing was charged.")},
    )
    pages.install(app)
    install_elsewhere(app, pages, below=("/notes",))
    sign_in = SignIn(
        SignInSettings(
            oidc_issuer_url=oidc_url or url,
            oidc_client_id="pages",
            oidc_client_secret=SecretStr("a secret"),
            session_secret=SecretStr("s" * 32),
            **(parameters or {}),
        ),
        pages,
    )
    app.include_router(assets.router)
    app.include_router(session_router(sign_in, home="/home"))
    app.include_router(_notes(site))
    return site


def _nav(_: Request, person: Caller | None) -> list[NavLink]:
    return [NavLink("Notes", "/notes")] if person else []


async def _ways_on(request: Request, _: Caller | None) -> list[NavLink]:
    if "away" in request.query_params:
        raise ConnectionError("db.internal")
    return [NavLink("Looked up", "/notes/looked-up")]


def _notes(site: Site) -> Any:
    routes = page_router()

    @routes.get("/notes")
    async def notes(request: Request, pages: AtPages, _: CurrentCaller, text: str = "") -> Response:
        return pages.page(request, "note.html", text=text, error=None, at=datetime(2026, 3, 4, 15, 0, tzinfo=UTC))

    @routes.post("/notes")
    async def keep(note: Annotated[Note, Form()], caller: CurrentCaller) -> Response:
        site.kept.append(f"{caller.subject}: {note.text}")
        return see_other("/notes")

    @routes.get("/notes/staff")
    async def for_staff(caller: CurrentCaller) -> None:
        require_staff(caller)

    @routes.post("/notes/late")
    async def late(_: CurrentCaller) -> None:
        raise Problem(409, "too-late", "It is <late>", headers={"Retry-After": "7"})

    @routes.post("/notes/broken")
    async def broken() -> None:
        raise RuntimeError("password=hunter2")

    @routes.get("/notes/away")
    async def away() -> None:
        raise ConnectionError("db.internal")

    @routes.get("/notes/bank")
    async def bank(request: Request, pages: AtPages) -> Response:
        return pages.leave_for(request, BANK, title="Your bank", what="It asks you.")

    return routes
