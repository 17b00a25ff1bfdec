"""Addresses that are no page: told as a page to people, and as a problem to programs."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from chassis.auth import current_caller
from chassis.pages.site import Pages
from chassis.problem_handlers import problem_of_request
from chassis.problems import Problem, ProblemResponse

NO_PAGE: Final = frozenset({404, 405})


def install_elsewhere(app: FastAPI, pages: Pages, *, below: Sequence[str]) -> None:
    """What browsers ask for is told as a page, and so is everything at and below `below` but to who asks for JSON."""

    async def answer(request: Request, error: Any) -> Response:
        problem = problem_of_request(request, error)
        if error.status_code not in NO_PAGE or not _is_for_people(request, below):
            return ProblemResponse(problem)
        with suppress(Problem):
            await current_caller(request, None)  # for the frame of the page
        return pages.problem(request, problem)

    app.add_exception_handler(HTTPException, answer)


def _is_for_people(request: Request, below: Sequence[str]) -> bool:
    accepted, path = request.headers.get("accept", ""), request.url.path
    if "text/html" in accepted:
        return True
    is_here = any(path == prefix or path.startswith(f"{prefix}/") for prefix in below)
    return is_here and "json" not in accepted
