"""Authorization codes: good once, for a minute, for whoever knows the verifier."""

import base64
import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass
from typing import Any, Final

LASTS_S: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a code stands for."""

    claims: dict[str, Any]
    redirect_uri: str
    challenge: str
    nonce: str | None
    until: float


class Codes:
    """Those that were given out and not brought back."""

    def __init__(self) -> None:
        self._grants: dict[str, Grant] = {}

    def give(self, *, claims: dict[str, Any], redirect_uri: str, challenge: str, nonce: str | None) -> str:
        """Make a new code."""
        now = time.monotonic()
        self._grants = {code: grant for code, grant in self._grants.items() if grant.until > now}
        code = secrets.token_urlsafe(32)
        self._grants[code] = Grant(
            claims=claims, redirect_uri=redirect_uri, challenge=challenge, nonce=nonce, until=now + LASTS_S
        )
        return code

    def take(self, code: str, *, redirect_uri: str, verifier: str) -> Grant | None:
        """Take what it stood for; None when it is past, used, or somebody else's. Either way it is used up."""
        grant = self._grants.pop(code, None)
        if grant is None or grant.until <= time.monotonic():
            return None
        proven = hmac.compare_digest(challenge_of(verifier).encode(), grant.challenge.encode())
        return grant if proven and grant.redirect_uri == redirect_uri else None


def challenge_of(verifier: str) -> str:
    """S256 of RFC 7636."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
