"""Signing in: OpenID Connect's code flow with PKCE, through Authlib. The session is the access token."""

import time
import warnings
from collections.abc import Callable
from typing import Any, Final

import httpx
import jwt
from authlib.common.errors import AuthlibBaseError
from authlib.deprecate import AuthlibDeprecationWarning
from fastapi import Request
from itsdangerous import BadData, URLSafeTimedSerializer
from joserfc.errors import JoseError
from starlette.responses import Response

from chassis.auth import COOKIE, Caller, TokenVerifier
from chassis.logs import get_logger
from chassis.page_settings import SignInSettings
from chassis.pages.own_paths import own_path
from chassis.pages.site import Pages, see_other
from chassis.problems import Problem

with warnings.catch_warnings():
    # It would rather have another HTTP client than httpx, and says so in the log of every process.
    warnings.simplefilter("ignore", AuthlibDeprecationWarning)
    from authlib.integrations.starlette_client import OAuth

log = get_logger(__name__)

AWAY: Final = "quittance_sign_in"
AWAY_SECONDS: Final = 600
AWAY_PATH: Final = "/session"
CALLBACK: Final = "/session/callback"
LARGEST_TOKEN: Final = 3800
"""Browsers drop a cookie of more than 4096 bytes without a word."""
TIMEOUT_SECONDS: Final = 10


class SignIn:
    """The issuer's client. Until somebody comes back, state, nonce and verifier are kept in a signed cookie."""

    def __init__(self, settings: SignInSettings, pages: Pages) -> None:
        self._pages = pages
        self._signed = URLSafeTimedSerializer(settings.session_secret.get_secret_value(), salt="sign-in")
        self._client: Any = OAuth().register(
            "issuer",
            client_id=settings.oidc_client_id,
            client_secret=settings.oidc_client_secret.get_secret_value() or None,
            server_metadata_url=f"{settings.oidc_issuer_url.rstrip('/')}/.well-known/openid-configuration",
            client_kwargs={
                "scope": "openid email",
                "code_challenge_method": "S256",
                "timeout": TIMEOUT_SECONDS,
                "verify": httpx.create_ssl_context(),  # once, because it reads files
            },
        )

    async def begin(self, request: Request, wanted: str | None) -> Response:
        """To the issuer's page. Raises Problem 503 when it does not answer."""
        request.scope["session"] = {}
        try:
            response: Response = await self._client.authorize_redirect(request, f"{self._pages.origin}{CALLBACK}")
        except (httpx.HTTPError, RuntimeError, ValueError) as error:
            raise _no_answer(error) from error
        kept = {"session": request.session, "next": own_path(wanted)}
        self._set(response, AWAY, self._signed.dumps(kept), seconds=AWAY_SECONDS, path=AWAY_PATH)
        response.headers["Cache-Control"] = "no-store"
        return response

    async def finish(self, request: Request, *, verifier: TokenVerifier, home: Callable[[Caller], str]) -> Response:
        """Back from it: the session begins. `home` is for who asked for no page. Raises Problem 400 or 503."""
        kept = self._kept(request)
        request.scope["session"] = kept["session"]
        token = await self._token(request)
        caller = await _usable(token, verifier)
        response = see_other(own_path(kept["next"]) or home(caller))
        self._set(response, COOKIE, token, seconds=_seconds_left(token), path="/")
        response.delete_cookie(AWAY, path=AWAY_PATH)
        return response

    def _kept(self, request: Request) -> dict[str, Any]:
        try:
            kept: dict[str, Any] = self._signed.loads(request.cookies.get(AWAY, ""), max_age=AWAY_SECONDS)
        except BadData as error:
            raise _failed("It took too long, or it was begun in another browser or tab.") from error
        return kept

    async def _token(self, request: Request) -> str:
        try:
            metadata = await self._client.load_server_metadata()
            expected = {
                "iss": {"essential": True, "value": metadata["issuer"]},
                "aud": {"essential": True, "value": self._client.client_id},
            }
            answer = await self._client.authorize_access_token(request, claims_options=expected)
        except (AuthlibBaseError, JoseError) as error:
            log.info("sign_in_failed", error=repr(error)[:300])
            raise _failed("The sign-in was not completed.") from error
        except (httpx.HTTPError, RuntimeError, ValueError, KeyError) as error:
            raise _no_answer(error) from error
        if "userinfo" not in answer:
            raise _failed("The sign-in service did not say who you are.")
        return str(answer["access_token"])

    def _set(self, response: Response, name: str, value: str, *, seconds: int, path: str) -> None:
        response.set_cookie(
            name, value, max_age=seconds, path=path, secure=self._pages.secure, httponly=True, samesite="lax"
        )


def end_session(pages: Pages) -> Response:
    """The session ends here; at the issuer one stays signed in."""
    response = see_other("/")
    response.delete_cookie(COOKIE, path="/", secure=pages.secure, httponly=True, samesite="lax")
    return response


async def _usable(token: str, verifier: TokenVerifier) -> Caller:
    if len(token) > LARGEST_TOKEN:
        raise _failed("Your sign-in holds more than a browser can keep: you are in too many workspaces.")
    try:
        return await verifier.verify(token)
    except Problem as problem:
        if problem.slug != "unauthenticated":
            raise
        log.error("sign_in_token_refused", reason=problem.detail)  # noqa: TRY400 - the settings are wrong, not the code
        raise _failed("The sign-in service gave a token that we do not accept.") from problem


def _seconds_left(token: str) -> int:
    """The session dies with the token, which was verified."""
    expires_at = jwt.decode(token, options={"verify_signature": False})["exp"]
    return max(1, int(expires_at - time.time()))


def _failed(detail: str) -> Problem:
    return Problem(400, "sign-in-failed", "You are not signed in", detail)


def _no_answer(error: Exception) -> Problem:
    log.warning("sign_in_unavailable", error=repr(error)[:300])
    return Problem(503, "sign-in-unavailable", "The sign-in service does not answer", headers={"Retry-After": "5"})
