"""How the control API speaks HTTP: JSON in, JSON out, refusals as Stripe shows them."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.stripe.refusals import Refusal
from sandbox.stripe.thing import Json


def as_endpoint(act: Callable[[Request], Awaitable[Any]]) -> Callable[[Request], Awaitable[Response]]:
    """Answer with what `act` returns."""

    async def endpoint(request: Request) -> Response:
        try:
            return JSONResponse(await act(request))
        except Refusal as refusal:
            return JSONResponse({"error": refusal.error}, status_code=refusal.status)
        except (KeyError, TypeError, ValueError) as error:
            return JSONResponse({"error": {"message": repr(error)}}, status_code=400)

    return endpoint


async def body_of(request: Request) -> Json:
    """Read the JSON object that was sent; an empty one for no body. Raises ValueError or TypeError."""
    raw = await request.body()
    body = json.loads(raw) if raw else {}
    if not isinstance(body, dict):
        raise TypeError("the body has to be a JSON object")
    return body
