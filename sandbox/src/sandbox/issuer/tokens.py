"""Tokens and the keys that sign them."""

import time
import uuid
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

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
        """Make a new signing key; return its id."""
        if forget:
            self._keys.clear()
        key_id = uuid.uuid4().hex[:8]
        self._keys[key_id] = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        return key_id

    def jwks(self) -> dict[str, Any]:
        """Return the public keys, as RFC 7517 wants them."""
        return {"keys": [_public(key_id, key) for key_id, key in self._keys.items()]}

    def mint(self, order: dict[str, Any]) -> str:
        """Sign an access token. Raises `ValueError` for an order with a word we do not know, or without `sub`."""
        if unknown := set(order) - _CLAIMS - _KNOBS:
            raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
        if not order.get("sub"):
            raise ValueError("sub is missing")
        claims = {name: value for name, value in order.items() if name in _CLAIMS}
        claims |= {"iss": order.get("issuer", self.issuer), "aud": order.get("audience", self._audience)}
        return self._sign(claims | {"jti": uuid.uuid4().hex}, expires_in=int(order.get("expires_in", 3600)))

    def mint_id_token(self, *, claims: dict[str, Any], client_id: str, nonce: str | None) -> str:
        """Sign the token that names to the client who has signed in."""
        named = {name: claims[name] for name in ("sub", "email") if name in claims}
        asked = {"nonce": nonce} if nonce else {}
        return self._sign(named | asked | {"iss": self.issuer, "aud": client_id}, expires_in=300)

    def _sign(self, claims: dict[str, Any], *, expires_in: int) -> str:
        now = int(time.time())
        dated = claims | {"iat": min(now, now + expires_in), "exp": now + expires_in}
        key_id, key = list(self._keys.items())[-1]
        return jwt.encode(dated, key, algorithm=ALGORITHM, headers={"kid": key_id})


def _public(key_id: str, key: rsa.RSAPrivateKey) -> dict[str, Any]:
    public = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {**public, "kid": key_id, "use": "sig", "alg": ALGORITHM}
