"""What is kept, in a signed cookie of its own for each tab, while somebody is away at the issuer's page."""

import hashlib
from collections.abc import Iterable
from typing import Any, Final

from fastapi import Request
from itsdangerous import BadData, URLSafeTimedSerializer
from starlette.responses import Response

from chassis.web import cookies

PREFIX: Final = "quittance_sign_in_"
SECONDS: Final = 600
AT_MOST: Final = 4
"""Who opens more tabs signs in with the newest of them; their cookies ride along with every request."""


class PendingSignIns:
    """Finds by the `state` that comes back what was kept when it was sent."""

    def __init__(self, secret: str, *, secure: bool) -> None:
        self._signed = URLSafeTimedSerializer(secret, salt="sign-in")
        self._secure = secure

    def keep(self, request: Request, response: Response, state: str, kept: dict[str, Any]) -> None:
        """Until `state` comes back."""
        for name in self._too_many(request):
            cookies.drop(response, name, secure=self._secure)
        cookies.put(response, _name(state), self._signed.dumps(kept), seconds=SECONDS, secure=self._secure)

    def kept(self, request: Request, state: str) -> dict[str, Any] | None:
        """Return what was kept; None when that is too long ago, or was in another browser."""
        try:
            kept: dict[str, Any] = self._signed.loads(self._value(request, _name(state)), max_age=SECONDS)
        except BadData:
            return None
        return kept

    def forget(self, response: Response, state: str) -> None:
        """Drop it: it came back."""
        cookies.drop(response, _name(state), secure=self._secure)

    def _too_many(self, request: Request) -> Iterable[str]:
        prefix = cookies.named(PREFIX, secure=self._secure)
        ours = [name[len(prefix) - len(PREFIX) :] for name in request.cookies if name.startswith(prefix)]
        return sorted(ours, key=lambda name: self._since(request, name), reverse=True)[AT_MOST - 1 :]

    def _since(self, request: Request, name: str) -> float:
        try:
            _, since = self._signed.loads(self._value(request, name), return_timestamp=True)
        except BadData:
            return 0.0
        return float(since.timestamp())

    def _value(self, request: Request, name: str) -> str:
        return request.cookies.get(cookies.named(name, secure=self._secure), "")


def _name(state: str) -> str:
    return f"{PREFIX}{hashlib.sha256(state.encode()).hexdigest()[:16]}"
