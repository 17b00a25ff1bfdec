"""Our cookies: no script reads them, no other site's form carries them, and no other host of the domain plants them."""

from typing import Final

from starlette.responses import Response

SESSION: Final = "quittance_session"
LARGEST: Final = 3800
"""Browsers drop a cookie of more than 4096 bytes, its name and attributes included, without a word."""
_HOST: Final = "__Host-"
"""Browsers take such a name only over TLS, for all paths and no domain, so only from this very host (RFC 6265bis)."""


def named(name: str, *, secure: bool) -> str:
    """Return the cookie's name; over plain HTTP, as in development, browsers know no such prefix."""
    return f"{_HOST}{name}" if secure else name


def put(response: Response, name: str, value: str, *, seconds: int, secure: bool) -> None:
    """Let the browser keep `value` for so long."""
    response.set_cookie(
        named(name, secure=secure), value, max_age=seconds, path="/", secure=secure, httponly=True, samesite="lax"
    )


def drop(response: Response, name: str, *, secure: bool) -> None:
    """Let the browser forget it."""
    response.delete_cookie(named(name, secure=secure), path="/", secure=secure, httponly=True, samesite="lax")
