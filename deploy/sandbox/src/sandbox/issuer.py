"""An identity provider for development: mints the JWTs that the services accept, and publishes its keys.

`python -m sandbox.issuer --port N --issuer URL --audience NAME`. `POST /token` with `{"sub", "email", "platform_role"?,
"workspaces"?, "scope"?, "expires_in"?, "audience"?, "issuer"?}` answers `{"access_token"}`; a negative `expires_in`
gives a token that is past. `POST /rotate` signs with a new key from then on; `{"forget": true}` withdraws the old ones.
"""

import argparse
import json
import time
import uuid
from typing import Any, Final

import jwt
import uvicorn
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from sandbox.ports import LOOPBACK

ALGORITHM: Final = "RS256"
_CLAIMS: Final = frozenset({"sub", "email", "platform_role", "workspaces", "scope"})
_KNOBS: Final = frozenset({"expires_in", "audience", "issuer"})


class Issuer:
    """The keys, the newest of which signs."""

    def __init__(self, *, issuer: str, audience: str) -> None:
        self.issuer = issuer
        self._audience = audience
        self._keys: dict[str, rsa.RSAPrivateKey] = {}
        self.rotate(forget=False)

    def rotate(self, *, forget: bool) -> str:
        """A new signing key; its id."""
        if forget:
            self._keys.clear()
        key_id = uuid.uuid4().hex[:8]
        self._keys[key_id] = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        return key_id

    def jwks(self) -> dict[str, Any]:
        """The public keys, as RFC 7517 wants them."""
        return {"keys": [_public(key_id, key) for key_id, key in self._keys.items()]}

    def mint(self, order: dict[str, Any]) -> str:
        """A signed token. Raises `ValueError` for an order with a word we do not know, or without `sub`."""
        if unknown := set(order) - _CLAIMS - _KNOBS:
            raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
        if not order.get("sub"):
            raise ValueError("sub is missing")
        now = int(time.time())
        expires_in = int(order.get("expires_in", 3600))
        claims = {name: value for name, value in order.items() if name in _CLAIMS}
        claims |= {"iss": order.get("issuer", self.issuer), "aud": order.get("audience", self._audience)}
        claims |= {"iat": min(now, now + expires_in), "exp": now + expires_in, "jti": uuid.uuid4().hex}
        key_id, key = list(self._keys.items())[-1]
        return jwt.encode(claims, key, algorithm=ALGORITHM, headers={"kid": key_id})


def application(issuer: Issuer) -> Starlette:
    """Its HTTP side."""

    async def configuration(_request: Request) -> Response:
        return JSONResponse(
            {
                "issuer": issuer.issuer,
                "jwks_uri": f"{issuer.issuer}/.well-known/jwks.json",
                "token_endpoint": f"{issuer.issuer}/token",
                "id_token_signing_alg_values_supported": [ALGORITHM],
            }
        )

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

    return Starlette(
        routes=[
            Route("/.well-known/openid-configuration", configuration),
            Route("/.well-known/jwks.json", jwks),
            Route("/token", token, methods=["POST"]),
            Route("/rotate", rotate, methods=["POST"]),
            Route("/readyz", _ok),
        ]
    )


def _public(key_id: str, key: rsa.RSAPrivateKey) -> dict[str, Any]:
    public = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {**public, "kid": key_id, "use": "sig", "alg": ALGORITHM}


async def _ok(_request: Request) -> Response:
    return PlainTextResponse("ok")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox.issuer")
    parser.add_argument("--host", default=LOOPBACK)
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument("--issuer", help="what `iss` says; the address by default")
    parser.add_argument("--audience", default="quittance")
    options = parser.parse_args()
    name = options.issuer or f"http://{options.host}:{options.port}"
    app = application(Issuer(issuer=name, audience=options.audience))
    uvicorn.run(app, host=options.host, port=options.port, log_level="warning")


if __name__ == "__main__":
    main()
