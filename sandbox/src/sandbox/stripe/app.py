"""Puts the sandbox together as one ASGI application."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from sandbox.stripe.account import Account, Settings
from sandbox.stripe.api import Api
from sandbox.stripe.asgi import Receive, Scope, Send, api_app
from sandbox.stripe.billing_api import Billing
from sandbox.stripe.checkout.pages import checkout_routes
from sandbox.stripe.control_api import Control
from sandbox.stripe.ids import new_id
from sandbox.stripe.model import WebhookEndpoint
from sandbox.stripe.outside_api import OutsideApi
from sandbox.stripe.pages import page_routes
from sandbox.stripe.portal.pages import portal_routes
from sandbox.stripe.portal_api import Portal
from sandbox.stripe.refusals import Refusal
from sandbox.stripe.webhook_dispatcher import WebhookDispatcher

App = Callable[[Scope, Receive, Send], Awaitable[None]]


def create_app(
    *,
    public_url: str = "http://127.0.0.1:12111",
    settings: Settings | None = None,
    endpoints: tuple[WebhookEndpoint, ...] = (),
) -> App:
    """Make an independent sandbox. `public_url` is where a browser reaches the bank and the hosted invoices."""
    account = Account(settings=settings or Settings(public_url=public_url))
    for endpoint in endpoints:
        account.save(endpoint)
    api, webhook_dispatcher = Api(account=account), WebhookDispatcher(account=account)
    stripe_api = api_app(api)
    rest = _rest(account=account, api=api, webhook_dispatcher=webhook_dispatcher)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/v1/"):
            await stripe_api(scope, receive, send)
        else:
            await rest(scope, receive, send)

    return app


def endpoint_of(*, url: str, secrets: tuple[str, ...], api_version: str | None, created: int) -> WebhookEndpoint:
    """Make a webhook endpoint for every event, as the command line registers one."""
    return WebhookEndpoint(
        id=new_id(prefix="we"),
        created=created,
        url=url,
        secrets=secrets,
        enabled_events=("*",),
        api_version=api_version,
    )


def _rest(*, account: Account, api: Api, webhook_dispatcher: WebhookDispatcher) -> Starlette:
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await webhook_dispatcher.close()

    routes: list[Route | Mount] = [
        *Control(api=api, webhook_dispatcher=webhook_dispatcher).routes(),
        *OutsideApi(account).routes(),
        *Billing(account).routes(),
        *page_routes(account),
        *Portal(account).routes(),
        *checkout_routes(account),
        *portal_routes(account),
        Route("/", _front),
    ]
    return Starlette(routes=routes, lifespan=lifespan, exception_handlers={Refusal: _refuse})


async def _front(_: Request) -> Response:
    return JSONResponse({"name": "Quittance's Stripe sandbox", "api": "/v1", "control": "/_sandbox"})


async def _refuse(_: Request, refusal: Exception) -> Response:
    status = refusal.status if isinstance(refusal, Refusal) else 500
    return JSONResponse({"error": {"message": str(refusal)}}, status_code=status)
