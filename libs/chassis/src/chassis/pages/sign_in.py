"""Signing in: OpenID Connect's code flow with PKCE, through Authlib. The session is the access token."""

import time
import warnings
from collections.abc import Mapping
from typing import Any, Final

import httpx
from authlib.common.errors import AuthlibBaseError
from authlib.deprecate import AuthlibDeprecationWarning
from fastapi import Request
from joserfc.errors import JoseError
from starlette.responses import Response

from chassis.kafka.ended_sessions import EndedSessions
from chassis.pages.own_paths import own_path
from chassis.pages.pending_sign_ins import PendingSignIns
from chassis.pages.site import Pages, see_other
from chassis.problems import Problem
from chassis.process.logs import get_logger
from chassis.process.page_settings import SignInSettings
from chassis.web import cookies
from chassis.web.auth import Caller, TokenVerifier, require_young

with warnings.catch_warnings():
    # It would rather have another HTTP client than httpx, and says so in the log of every process.
    warnings.simplefilter("ignore", AuthlibDeprecationWarning)
    from authlib.integrations.starlette_client import OAuth

log = get_logger(__name__)

CALLBACK: Final = "/session/callback"
SIGNED_OUT: Final = "/session/signed-out"
HINT: Final = "quittance_id"
HINT_PATH: Final = "/session"
TIMEOUT_SECONDS: Final = 10
UNREACHED: Final = (httpx.HTTPError, RuntimeError, ValueError, KeyError)


class SignIn:
    """The issuer's client."""

    def __init__(self, settings: SignInSettings, pages: Pages) -> None:
        self._pages = pages
        self._pending = PendingSignIns(settings.session_secret.get_secret_value(), secure=pages.secure)
        self._issuer = settings.oidc_issuer_url
        self._asked = {"audience": settings.oidc_audience} if settings.oidc_audience else {}
        self._client: Any = OAuth().register(
            "issuer",
            client_id=settings.oidc_client_id,
            client_secret=settings.oidc_client_secret.get_secret_value() or None,
            server_metadata_url=f"{settings.oidc_issuer_url.rstrip('/')}/.well-known/openid-configuration",
            client_kwargs={
                "scope": settings.oidc_scope,
                "code_challenge_method": "S256",
                "timeout": TIMEOUT_SECONDS,
                "verify": httpx.create_ssl_context(),  # once, because it reads files
            },
        )

    async def begin(self, request: Request, wanted: str | None, *, anew: bool) -> Response:
        """To the issuer's page; `anew` has it ask who one is even when it knows. Raises Problem 503: no answer.

        No redirect: a form, also a search, may have been led here by one, and `form-action` does not name the issuer.
        """
        request.scope["session"] = {}
        asked = self._asked | ({"prompt": "login"} if anew else {})
        try:
            await self._metadata()
            made = await self._client.create_authorization_url(f"{self._pages.origin}{CALLBACK}", **asked)
            await self._client.save_authorize_data(request, redirect_uri=f"{self._pages.origin}{CALLBACK}", **made)
        except UNREACHED as error:
            raise _no_answer(error) from error
        response = self._pages.leave_for(
            request,
            str(made["url"]),
            title="Sign in",
            what="The sign-in service's page opens by itself, and brings you back here.",
        )
        self._pending.keep(request, response, made["state"], {"session": request.session, "next": own_path(wanted)})
        return response

    async def finish(self, request: Request, *, verifier: TokenVerifier, home: str) -> Response:
        """Back from it: the session begins. `home` is for who asked for no page. Raises Problem 400 or 503."""
        state = request.query_params.get("state", "")
        kept = self._pending.kept(request, state)
        if kept is None:
            raise _failed("It took too long, or it was begun in another browser.")
        request.scope["session"] = kept["session"]
        token, id_token = await self._tokens(request)
        caller = await _usable(token, verifier, max_seconds=request.app.state.session_max_seconds)
        response = see_other(own_path(kept["next"]) or home)
        seconds = _seconds_left(caller, max_seconds=request.app.state.session_max_seconds)
        cookies.put(response, cookies.SESSION, token, seconds=seconds, secure=self._pages.secure)
        if len(id_token) <= cookies.LARGEST:
            self._set_hint(response, id_token, seconds=seconds)
        self._pending.forget(response, state)
        return response

    async def end(self, request: Request) -> Response:
        """End the session here, and at the issuer too, where that can be asked for (RP-Initiated Logout 1.0)."""
        response = await self._at_issuer(request) or see_other(SIGNED_OUT)
        self._set_hint(response, "", seconds=0)
        return end_session(response, self._pages)

    async def _at_issuer(self, request: Request) -> Response | None:
        try:
            made = await self._client.create_logout_url(
                post_logout_redirect_uri=f"{self._pages.origin}{SIGNED_OUT}",
                id_token_hint=request.cookies.get(HINT),
                client_id=self._client.client_id,
            )
        except UNREACHED as error:
            log.info("signed_out_only_here", error=repr(error)[:300])
            return None
        return self._pages.leave_for(
            request,
            str(made["url"]),
            title="You are signed out here",
            what="The sign-in service ends your session too.",
        )

    async def _tokens(self, request: Request) -> tuple[str, str]:
        try:
            metadata = await self._metadata()
            _require_answer_of(metadata, request)
            expected = {
                "iss": {"essential": True, "value": metadata["issuer"]},
                "aud": {"essential": True, "value": self._client.client_id},
            }
            answer = await self._client.authorize_access_token(request, claims_options=expected)
        except (AuthlibBaseError, JoseError) as error:
            log.info("sign_in_failed", error=repr(error)[:300])
            raise _failed("The sign-in was not completed.") from error
        except UNREACHED as error:
            raise _no_answer(error) from error
        if "userinfo" not in answer:
            raise _failed("The sign-in service did not say who you are.")
        return str(answer["access_token"]), str(answer["id_token"])

    async def _metadata(self) -> Mapping[str, Any]:
        """Return the issuer's discovery document. Raises RuntimeError for one that names another issuer than ours.

        A slash at the end is forgiven. Source: https://openid.net/specs/openid-connect-discovery-1_0.html#rfc.section.4.3.
        """
        metadata: Mapping[str, Any] = await self._client.load_server_metadata()
        if str(metadata["issuer"]).rstrip("/") != self._issuer.rstrip("/"):
            raise RuntimeError(f"the discovery document is of another issuer: {str(metadata['issuer'])[:200]}")
        return metadata

    def _set_hint(self, response: Response, id_token: str, *, seconds: int) -> None:
        """Who was signed in, for the issuer that is asked to sign them out: several ask for it."""
        response.set_cookie(
            HINT,
            id_token,
            max_age=seconds,
            path=HINT_PATH,
            secure=self._pages.secure,
            httponly=True,
            samesite="lax",
        )


def _require_answer_of(metadata: Mapping[str, Any], request: Request) -> None:
    """Raise Problem 400 for an answer of another issuer, or of none where this one names itself in every answer.

    Source: https://www.rfc-editor.org/rfc/rfc9207#section-2.4.
    """
    named = request.query_params.getlist("iss")
    if named != [metadata["issuer"]] and (named or metadata.get("authorization_response_iss_parameter_supported")):
        log.warning("sign_in_of_another_issuer", named=[one[:200] for one in named[:3]])
        raise _failed("The answer came from another sign-in service than the one that was asked.")


async def end_everywhere(request: Request) -> None:
    """Have every service refuse the session's token, as a bearer's too, from now on. One that is no good needs none.

    Raises Problem 503 where nobody can say whether it is good: nobody is to think that they are signed out.
    """
    ended: EndedSessions | None = request.app.state.ended_sessions
    token = request.cookies.get(request.app.state.session_cookie)
    if ended is None or not token:
        return
    try:
        caller = await request.app.state.verifier.verify(token)
    except Problem as problem:
        if problem.slug != "unauthenticated":
            raise
        log.info("sign_out_of_no_session", reason=problem.slug)
        return
    await ended.end(token, expires_at=caller.expires_at)


def end_session(response: Response, pages: Pages) -> Response:
    """Return `response`, with which the session is over here."""
    cookies.drop(response, cookies.SESSION, secure=pages.secure)
    return response


async def _usable(token: str, verifier: TokenVerifier, *, max_seconds: float) -> Caller:
    """Whom the token signs in. Raises Problem 400 for one that would begin no session, which would lead back here."""
    if len(token) > cookies.LARGEST:
        raise _failed("Your sign-in holds more than a browser can keep: you are in too many workspaces.")
    try:
        caller = await verifier.verify(token)
        require_young(caller, max_seconds=max_seconds)
    except Problem as problem:
        if problem.slug != "unauthenticated":
            raise
        log.error("sign_in_token_refused", reason=problem.detail)  # noqa: TRY400 - the settings are wrong, not the code
        raise _failed("The sign-in service gave a token that we do not accept.") from problem
    return caller


def _seconds_left(caller: Caller, *, max_seconds: float) -> int:
    """Return how long the session lives: as its token does, or so long after it was issued."""
    ends_at = min(caller.expires_at, (caller.issued_at or 0) + max_seconds)
    return max(1, int(ends_at - time.time()))


def _failed(detail: str) -> Problem:
    return Problem(400, "sign-in-failed", "You are not signed in", detail)


def _no_answer(error: Exception) -> Problem:
    log.warning("sign_in_unavailable", error=repr(error)[:300])
    return Problem(503, "sign-in-unavailable", "The sign-in service does not answer", retry_after=5)
