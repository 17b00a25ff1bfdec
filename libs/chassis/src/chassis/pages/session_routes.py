"""The pages of signing in and out; of one service only, since all share an origin and its cookies."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from chassis.pages.routes import AtPages, page_router
from chassis.pages.sign_in import SIGNED_OUT, SignIn, end_everywhere, end_session
from chassis.pages.site import see_other
from chassis.problems import Problem
from chassis.web.auth import CurrentCaller


def session_router(sign_in: SignIn | None, *, home: str) -> APIRouter:
    """Route signing in. `home` is where one comes to who asked for no page; None: no issuer is configured."""
    routes = page_router("/session")

    @routes.get("/sign-in")
    async def begin_sign_in(
        request: Request,
        next: str | None = None,  # noqa: A002 - the address's word
        anew: bool = False,
    ) -> Response:
        return await _configured(sign_in).begin(request, next, anew=anew)

    @routes.get("/callback")
    async def finish_sign_in(request: Request) -> Response:
        return await _configured(sign_in).finish(request, verifier=request.app.state.verifier, home=home)

    @routes.get("/signed-in")
    async def signed_in(request: Request, pages: AtPages, _: CurrentCaller) -> Response:
        return pages.page(request, "signed_in.html")

    @routes.post("/sign-out")
    async def sign_out(request: Request, pages: AtPages) -> Response:
        await end_everywhere(request)
        return await sign_in.end(request) if sign_in else end_session(see_other(SIGNED_OUT), pages)

    @routes.get("/signed-out")
    async def signed_out(request: Request, pages: AtPages) -> Response:
        return pages.page(request, "signed_out.html")

    return routes


def _configured(sign_in: SignIn | None) -> SignIn:
    if sign_in is None:
        raise Problem(503, "sign-in-not-set-up", "Signing in is not set up here")
    return sign_in
