"""Routes of pages: only our own pages change things, who is not signed in is asked to, problems are pages."""

from collections.abc import Callable
from typing import Annotated, Any, Final
from urllib.parse import quote, urlsplit, urlunsplit

from fastapi import APIRouter, Depends, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from chassis.origins import origin_of
from chassis.pages.forms import all_in_words, typed
from chassis.pages.own_paths import SIGNED_IN_HERE, own_path
from chassis.pages.site import Pages, address_of
from chassis.problems import Problem, answered_with
from chassis.web.auth import SAFE_METHODS
from chassis.web.problem_handlers import framework_problem, invalid_request, problem_of

SIGN_IN: Final = "/session/sign-in"
FAILED: Final = 500
"""From here on it was not the form: what was typed is kept."""
READABLE: Final = "application/json"
"""What is wrong with a form is in its fields; the API asks what kind of body it was."""


async def pages_of(request: Request) -> Pages:
    """Return the pages, as `main` built them."""
    pages: Pages = request.app.state.pages
    return pages


AtPages = Annotated[Pages, Depends(pages_of)]


class PageRoute(APIRoute):
    """One page, or one form's target. Where GET is taken HEAD is too: the server leaves the body out."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        if self.methods and "GET" in self.methods:
            self.methods.add("HEAD")

    def get_route_handler(self) -> Any:
        """FastAPI's own handler, with the policy of pages around it."""
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            pages: Pages = request.app.state.pages
            try:
                _require_own_origin(request, pages.origin)
                response: Response = await handle(request)
            except Exception as error:
                return await _answer(request, pages, error)
            else:
                return response

        return handled


def page_router(prefix: str = "") -> APIRouter:
    """Make a router of pages; they are no part of the API's document."""
    return APIRouter(prefix=prefix, route_class=PageRoute, include_in_schema=False)


def _require_own_origin(request: Request, origin: str) -> None:
    """Refuse what a page of somebody else sends: a session's cookie comes along by itself."""
    if request.method in SAFE_METHODS:
        return
    said = request.headers.get("origin") or request.headers.get("referer", "")
    if origin_of(said) != origin:
        raise Problem(403, "cross-site", "This request comes from another site")


async def _answer(request: Request, pages: Pages, error: Exception) -> Response:
    problem = _problem(request, error)
    answered_with(problem, request.scope)
    if problem.slug == "unauthenticated":
        return await _sign_in(request, pages)
    failed = request.method not in SAFE_METHODS and problem.status >= FAILED
    return await pages.problem(request, problem, sent=await typed(request) if failed else None)


def _problem(request: Request, error: Exception) -> Problem:
    if isinstance(error, RequestValidationError):
        if any(one["loc"][0] == "path" for one in error.errors()):
            return framework_problem(HTTPException(404))
        problem = invalid_request(error.errors(), content_type=READABLE)
        return problem if "errors" not in problem.extra else _in_words(problem, error)
    if isinstance(error, HTTPException):
        return framework_problem(error)
    return problem_of(error, passes=request.app.state.passes)


def _in_words(problem: Problem, error: RequestValidationError) -> Problem:
    problem.extra = {**problem.extra, "errors": all_in_words(error.errors())}
    return problem


async def _sign_in(request: Request, pages: Pages) -> Response:
    """Lead to the sign-in and back to the page. What was sent is kept on a page, from where it is sent again."""
    if request.headers.get("hx-request") == "true":
        there = urlsplit(request.headers.get("hx-current-url", ""))
        return Response(
            status_code=401, headers={"HX-Redirect": sign_in_url(urlunsplit(("", "", there.path, there.query, "")))}
        )
    if request.method in SAFE_METHODS:
        back = sign_in_url(address_of(request))
        return RedirectResponse(back, status_code=303, headers={"Cache-Control": "no-store"})
    return pages.page(
        request,
        "session_ended.html",
        status=401,
        sign_in=f"{SIGN_IN}?next={SIGNED_IN_HERE}",
        target=address_of(request),
        fields=await typed(request),
    )


def sign_in_url(back: str) -> str:
    """Return where one signs in, to come back to `back` when that is a path of ours."""
    return f"{SIGN_IN}?next={quote(back, safe='')}" if own_path(back) else SIGN_IN
