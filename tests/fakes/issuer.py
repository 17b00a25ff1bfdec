"""A token issuer on loopback: real keys, real HTTP, and knobs for its bad days."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from chassis.web.server import HttpServer

ISSUER: Final = "https://issuer.test"
AUDIENCE: Final = "quittance"


@cache
def private_key(kid: str) -> PrivateKeyTypes:
    """One key per id and process: making RSA keys is slow. An id that begins with `ec` is an elliptic one."""
    if kid.startswith("ec"):
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_jwk(kid: str) -> dict[str, Any]:
    """The public half of a key, as in a key set."""
    public = private_key(kid).public_key()
    encoded = ECAlgorithm.to_jwk(public) if kid.startswith("ec") else RSAAlgorithm.to_jwk(public)  # type: ignore[arg-type]
    return {**json.loads(encoded), "kid": kid, "use": "sig"}


class Issuer:
    """Serves `kids`; counts what it was asked; can be down (`status`), hang (`delay`) or answer nonsense (`body`)."""

    def __init__(self) -> None:
        self.url = ""
        self.recover()

    def recover(self) -> None:
        """As on its first day."""
        self.kids = ["rsa-1"]
        self.status = 200
        self.delay = 0.0
        self.body: bytes | None = None
        self.requests = 0

    def mint(self, *, kid: str = "rsa-1", headers: dict[str, Any] | None = None, **claims: Any) -> str:
        """A token signed with the key `kid`, good for a minute; a claim given as None is left out."""
        now = int(time.time())
        standard = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "iat": now,
            "exp": now + 60,
            "sub": "user-1",
            "email": "user@example.com",
        }
        payload = {name: value for name, value in (standard | claims).items() if value is not None}
        algorithm = "ES256" if kid.startswith("ec") else "RS256"
        return jwt.encode(payload, private_key(kid), algorithm, headers={"kid": kid} | (headers or {}))  # type: ignore[arg-type]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The key set's URL."""
        self.requests += 1
        await asyncio.sleep(self.delay)
        body = json.dumps({"keys": [public_jwk(kid) for kid in self.kids]}).encode() if self.body is None else self.body
        await Response(body, status_code=self.status, media_type="application/json")(scope, receive, send)


@asynccontextmanager
async def an_issuer() -> AsyncIterator[Issuer]:
    """An issuer that is running."""
    issuer = Issuer()
    async with HttpServer(issuer, "127.0.0.1", 0, name="issuer", graceful_seconds=1) as server:
        issuer.url = f"http://127.0.0.1:{server.port}/jwks"
        yield issuer
