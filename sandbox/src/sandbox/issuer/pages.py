"""What people see of the issuer: plain forms, no script."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from sandbox.issuer.clients import Client
from sandbox.issuer.people import PEOPLE, WORKSPACE

_TEMPLATES: Final = Environment(
    loader=PackageLoader("sandbox.issuer", "templates"), autoescape=select_autoescape(), undefined=StrictUndefined
)
_STYLE: Final = _TEMPLATES.get_template("sign-in.css").render()


class Pages:
    """The page where a person is picked, and the one that says why not."""

    def __init__(self, client: Client) -> None:
        policy = f"default-src 'none'; style-src 'self'; form-action 'self' {client.origin}; base-uri 'none'"
        self._headers = {
            "Content-Security-Policy": f"{policy}; frame-ancestors 'none'",
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }

    def people(self, query: Mapping[str, str], form: Mapping[str, str] | None = None, problem: str = "") -> Response:
        """Show the form, with what was typed before and what is wrong with it."""
        typed = {"person": "owner", "workspace": WORKSPACE, "sub": "", "email": ""} | dict(form or {})
        target = f"/authorize?{urlencode(dict(query))}"
        page = _TEMPLATES.get_template("people.html").render(
            people=PEOPLE.values(), target=target, problem=problem, typed=typed
        )
        return HTMLResponse(page, status_code=422 if problem else 200, headers=self._headers)

    def refusal(self, reason: str) -> Response:
        """Nobody is sent anywhere."""
        page = _TEMPLATES.get_template("refusal.html").render(reason=reason)
        return HTMLResponse(page, status_code=400, headers=self._headers)

    async def stylesheet(self, _request: Request) -> Response:
        """Return the look of both."""
        return Response(_STYLE, media_type="text/css")
