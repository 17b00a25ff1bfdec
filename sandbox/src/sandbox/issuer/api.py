"""The issuer's HTTP side: tokens to order, keys, configuration; and the pages, where there is a client for them."""

import json

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from sandbox.issuer.clients import Client
from sandbox.issuer.signing_in import signing_in
from sandbox.issuer.tokens import ALGORITHM, Issuer


def application(issuer: Issuer, client: Client | None = None) -> Starlette:
    """Build all of it; without a client nobody can sign in with a browser."""
    return Starlette(routes=[*_tokens(issuer), *(signing_in(issuer, client) if client else ())])


def _tokens(issuer: Issuer) -> list[Route]:
    async def configuration(request: Request) -> Response:
        return JSONResponse(_configuration(issuer.issuer, reached_at=str(request.base_url).rstrip("/")))

    async def jwks(_request: Request) -> Response:
        return JSONResponse(issuer.jwks())

    async def token(request: Request) -> Response:
        try:
            return JSONResponse({"access_token": issuer.mint(await request.json()), "token_type": "Bearer"})
        except (ValueError, TypeError, AttributeError) as error:
            return JSONResponse({"error": "invalid_request", "error_description": str(error)}, status_code=400)

    async def rotate(request: Request) -> Response:
        body = await request.body()
        return JSONResponse({"kid": issuer.rotate(forget=bool(body and json.loads(body).get("forget")))})

    return [
        Route("/.well-known/openid-configuration", configuration),
        Route("/.well-known/jwks.json", jwks),
        Route("/token", token, methods=["POST"]),
        Route("/rotate", rotate, methods=["POST"]),
        Route("/readyz", _ok),
    ]


def _configuration(issuer: str, *, reached_at: str) -> dict[str, object]:
    """Browsers go to the issuer's own address; a service goes on where it asked, as in compose it must."""
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{reached_at}/oidc/token",
        "end_session_endpoint": f"{issuer}/oidc/logout",
        "jwks_uri": f"{reached_at}/.well-known/jwks.json",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["public"],
        "scopes_supported": ["openid", "email"],
        "claims_supported": ["sub", "email"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
        "authorization_response_iss_parameter_supported": True,
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
    }


async def _ok(_request: Request) -> Response:
    return PlainTextResponse("ok")
