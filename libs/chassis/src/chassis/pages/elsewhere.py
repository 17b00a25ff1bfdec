"""Addresses that are no page: answered to people as a page, and as a problem to programs."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match

from chassis.pages.own_paths import own_path
from chassis.pages.site import Pages, see_other
from chassis.problems import Problem, ProblemResponse
from chassis.web.auth import SAFE_METHODS, current_caller
from chassis.web.problem_handlers import problem_of_request

NO_PAGE: Final = frozenset({404, 405})


def install_elsewhere(app: FastAPI, pages: Pages, *, below: Sequence[str]) -> None:
    """Answer browsers with a page, and everyone at and below `below` but who asks for JSON.

    An address that has a slash too many leads to the page.
    """

    async def answer(request: Request, error: Any) -> Response:
        problem = problem_of_request(request, error)
        if error.status_code not in NO_PAGE or not _is_for_people(request, below):
            return ProblemResponse(problem)
        if (there := _without_last_slash(request)) is not None:
            return see_other(there)
        with suppress(Problem):
            await current_caller(request, None)  # for the frame of the page
        return await pages.problem(request, problem)

    app.add_exception_handler(HTTPException, answer)


def _without_last_slash(request: Request) -> str | None:
    """Return the page that is meant, where there is one."""
    path, query = own_path(request.url.path.rstrip("/")), request.url.query
    if path is None or request.method not in SAFE_METHODS or path == request.url.path:
        return None
    meant = {**request.scope, "path": path}
    if not any(route.matches(meant)[0] is Match.FULL for route in request.app.routes):
        return None
    return f"{path}?{query}" if query else path


def _is_for_people(request: Request, below: Sequence[str]) -> bool:
    accepted, path = request.headers.get("accept", ""), request.url.path
    if "text/html" in accepted:
        return True
    is_here = any(path == prefix or path.startswith(f"{prefix}/") for prefix in below)
    return is_here and "json" not in accepted
