"""The pages of one service: rendered with what every page needs, under one policy."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from fastapi import FastAPI, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from chassis.origins import origin_of
from chassis.pages.locales import locale_of
from chassis.pages.look import NavLink, environment
from chassis.pages.problems_for_people import Words, for_people
from chassis.problems import Problem
from chassis.process.page_settings import PageSettings
from chassis.process.settings import ServiceSettings
from chassis.web.auth import Caller
from chassis.web.every_answer import HSTS

Nav = Callable[[Request, Caller | None], Sequence[NavLink]]
WaysOn = Callable[[Request, Caller | None], Awaitable[Sequence[NavLink]]]
INVALID: Final = 422
NOT_HERE: Final = frozenset({403, 404})
"""Who meets these sees which pages there are for them."""


class PagesNotSetUp(ValueError):  # noqa: N818 - named for what it says
    """PUBLIC_BASE_URL is no http(s) address, or SUPPORT_EMAIL is missing where real people come."""


class Pages:
    """What a service's pages have in common. `package` holds the templates, in `pages/templates`.

    `nav` says who sees which entries; `words` are what its problems say to people, by slug. `ways_on` are the entries
    of who is not let in, where it takes more than the request to know them.
    """

    def __init__(
        self,
        *,
        package: str,
        settings: ServiceSettings,
        page_settings: PageSettings,
        nav: Nav,
        words: Mapping[str, Words],
        ways_on: WaysOn | None = None,
    ) -> None:
        origin = origin_of(settings.public_base_url)
        if origin is None:
            raise PagesNotSetUp("PUBLIC_BASE_URL is the pages' origin: an http(s) address")
        if settings.protected and "@" not in settings.support_email:
            raise PagesNotSetUp("SUPPORT_EMAIL is where the pages send people with their questions: an address")
        self.origin: Final = origin
        self.secure: Final = settings.protected
        self._support_email = settings.support_email
        self._look = environment(package)
        self._headers = page_headers(page_settings.pages_form_targets, secure=self.secure)
        self._nav = nav
        self._ways_on = ways_on
        self._words = words

    def install(self, app: FastAPI) -> None:
        """Before the service's own pages are included."""
        app.state.pages = self

    def page(
        self,
        request: Request,
        template: str,
        /,
        *,
        status: int | None = None,
        problem: Problem | None = None,
        errors: Mapping[str, str] | Sequence[tuple[str, str]] | None = None,
        headers: Mapping[str, str] | None = None,
        **context: Any,
    ) -> Response:
        """Render a page, or with a template that does not extend `base.html` a part of one.

        Its status, unless it is given, and its headers are those of the `problem` that it shows; 422 with `errors`,
        which the template has by that name.
        """
        shown = self._everywhere(request) | {"errors": errors or {}} | context
        html = self._look.get_template(template).render(shown)
        status = status or (problem.status if problem else INVALID if errors else 200)
        return HTMLResponse(
            html, status_code=status, headers={**self._headers, **_headers_of(problem), **(headers or {})}
        )

    async def problem(
        self, request: Request, problem: Problem, *, sent: Sequence[tuple[str, str]] | None = None
    ) -> Response:
        """Render a problem as a page, with its own status. `sent` are a form's fields, to be sent again from there."""
        elsewhere = problem.status in NOT_HERE
        return self.page(
            request,
            "problem.html",
            problem=problem,
            said=self.for_people(request, problem),
            errors=problem.extra.get("errors", ()),
            elsewhere=elsewhere,
            target=address_of(request),
            sent=sent,
            nav=await self._looked_up(request) if elsewhere else self._nav(request, _caller(request)),
        )

    async def _looked_up(self, request: Request) -> Sequence[NavLink]:
        """Return the links; none in an outage, which does not hide what was wrong with the request."""
        caller = _caller(request)
        try:
            return await self._ways_on(request, caller) if self._ways_on else self._nav(request, caller)
        except Exception as error:
            if not request.app.state.passes(error):
                raise
            return self._nav(request, caller)

    def for_people(self, request: Request, problem: Problem) -> Words:
        """Return what a problem says, for a page that shows it itself."""
        caller = _caller(request)
        is_staff = caller is not None and caller.is_staff
        return for_people(problem, self._words, method=request.method, is_staff=is_staff)

    def leave_for(self, request: Request, url: str, *, title: str, what: str, stay: NavLink | None = None) -> Response:
        """Go to somebody else's page, by a page of ours that also works as a link. `stay`: where one goes on here.

        No redirect: browsers hold every hop of one that answers a form against `form-action`, and a bank has many.
        """
        headers = {"Refresh": f"0; url={url}"}
        return self.page(request, "leaving.html", headers=headers, url=url, title=title, what=what, stay=stay)

    def _everywhere(self, request: Request) -> dict[str, Any]:
        caller = _caller(request)
        return {
            "person": caller,
            "nav": self._nav(request, caller),
            "path": request.url.path,
            "locale": locale_of(request.headers.get("accept-language", "")),
            "support_email": self._support_email,
        }


def _caller(request: Request) -> Caller | None:
    """None before anybody asked who it is."""
    caller: Caller | None = getattr(request.state, "caller", None)
    return caller


def address_of(request: Request) -> str:
    """Its path and query."""
    return f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path


def see_other(path: str) -> Response:
    """Answer a form that was carried out: a reload then repeats nothing."""
    return RedirectResponse(path, status_code=303, headers={"Cache-Control": "no-store"})


def _headers_of(problem: Problem | None) -> dict[str, str]:
    """Of its headers, those that are not about the API's body."""
    headers = problem.headers if problem else {}
    return {name: value for name, value in headers.items() if name.lower() not in {"content-type", "content-length"}}


def page_headers(form_targets: Iterable[str], *, secure: bool) -> Mapping[str, str]:
    """Return what every page says to the browser: nothing of others, no inline script or style, kept nowhere.

    `form_targets`: where a form's answer may redirect; browsers hold `form-action` against.
    `secure`: browsers shall come over TLS only, from now on.
    The referrer stays within our origin; with `no-referrer` browsers would send `Origin: null` with our own forms.
    """
    policy = (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        " ".join(("form-action 'self'", *form_targets)),
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
    return {
        "Content-Security-Policy": "; ".join(policy),
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cache-Control": "no-store",
        "Vary": "Cookie, Accept-Language",
        **({"Strict-Transport-Security": HSTS} if secure else {}),
    }
