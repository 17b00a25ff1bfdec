"""Who is calling: a JWT of the issuer, in the bearer header or, on our own pages, in the session cookie."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, Final

import jwt
from fastapi import Depends, Request
from fastapi.security import HTTPBearer

from chassis.origins import origin_of
from chassis.problems import Problem
from chassis.web.jwks import ALGORITHMS, Jwks

STAFF: Final = "super_admin"
LEEWAY_SECONDS: Final = 30
MAX_TOKEN: Final = 16 * 1024
MAX_CLAIM: Final = 255
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
CHALLENGE: Final = 'Bearer realm="quittance"'
# Everything that PyJWT and the claims of a hostile token can raise; anything else would be an answer of 500.
UNREADABLE: Final = (jwt.PyJWTError, ValueError, TypeError, KeyError, OverflowError, RecursionError)
REQUIRED: Final = ["iss", "aud", "exp", "sub"]


class Role(StrEnum):
    """What somebody is in one workspace; who may do most comes first."""

    OWNER = "owner"
    ADMIN = "admin"
    EDITOR = "editor"
    VIEWER = "viewer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Somebody whose token was verified."""

    subject: str
    email: str | None = None
    platform_role: str | None = None
    workspaces: Mapping[str, Role] = field(default_factory=lambda: MappingProxyType({}))
    scopes: frozenset[str] = frozenset()
    issued_at: float | None = None
    """The token's `iat`, Unix seconds; None where it says none."""
    expires_at: float = 0.0
    """The token's `exp`, Unix seconds."""

    @property
    def is_staff(self) -> bool:
        """Whether this is platform staff."""
        return self.platform_role == STAFF

    def role_in(self, workspace: str) -> Role | None:
        """Return the role that the token claims there; None for somebody who is not a member."""
        return self.workspaces.get(workspace)

    def by_rights(self) -> list[str]:
        """Their workspaces: those first where they may do most, else as the token has them."""
        return sorted(self.workspaces, key=lambda workspace: list(Role).index(self.workspaces[workspace]))

    def has_scope(self, scope: str) -> bool:
        """Return whether the token carries `scope`: another service, or the host product, speaks."""
        return scope in self.scopes


class MalformedClaims(ValueError):  # noqa: N818 - named for what it says
    """The token is signed, but says something that we cannot read."""


class TokenVerifier:
    """Verifies tokens of one issuer for one audience. Refuses to be made without either.

    `has_ended` says of a token, which is good otherwise, whether its session was ended by signing out.
    """

    def __init__(
        self, jwks: Jwks, issuer: str, audience: str, *, has_ended: Callable[[str], bool] = lambda _: False
    ) -> None:
        if not issuer or not audience:
            raise ValueError("JWT_ISSUER and JWT_AUDIENCE must be set: without them any token would do")
        self._jwks = jwks
        self._issuer = issuer
        self._audience = audience
        self._has_ended = has_ended

    async def verify(self, token: str) -> Caller:
        """Return the caller. Raises Problem 401 `unauthenticated`; 503 `issuer-unavailable` while there are no keys."""
        try:
            kid = _key_id(token)
        except UNREADABLE as error:
            raise unauthenticated(_reason(error), invalid=True) from error
        key = await self._jwks.key(kid)
        if key is None:
            raise unauthenticated("The token is signed with an unknown key.", invalid=True)
        try:
            caller = _caller(self._claims(token, key))
        except UNREADABLE as error:
            raise unauthenticated(_reason(error), invalid=True) from error
        if self._has_ended(token):
            raise unauthenticated("The session was ended by signing out.", invalid=True)
        return caller

    def _claims(self, token: str, key: jwt.PyJWK) -> dict[str, Any]:
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=list(ALGORITHMS),
            issuer=self._issuer,
            audience=self._audience,
            leeway=LEEWAY_SECONDS,
            options={"require": REQUIRED, "enforce_minimum_key_length": True},
        )
        return claims


def _key_id(token: str) -> str | None:
    """Refuse what can never be good before a key is looked up: garbage must not make us fetch anything."""
    if len(token) > MAX_TOKEN or not token.isascii():
        raise jwt.DecodeError("too long, or no token")
    header = jwt.get_unverified_header(token)
    if header.get("alg") not in ALGORITHMS:
        raise jwt.InvalidAlgorithmError("algorithm")
    kid = header.get("kid")
    if isinstance(kid, str) and len(kid) > MAX_CLAIM:
        raise jwt.DecodeError("kid")
    return kid


def _caller(claims: Mapping[str, Any]) -> Caller:
    return Caller(
        subject=_text(claims["sub"]),
        email=_optional(claims.get("email")),
        platform_role=_optional(claims.get("platform_role")),
        workspaces=_workspaces(claims.get("workspaces")),
        issued_at=_seconds(claims.get("iat")),
        expires_at=float(claims["exp"]),
        scopes=frozenset((_optional(claims.get("scope"), limit=MAX_TOKEN) or "").split()),
    )


def _workspaces(claim: Any) -> Mapping[str, Role]:
    """Read the roles. One that we do not know gives no rights, and does not lock its bearer out elsewhere."""
    if not isinstance(claim, dict | None):
        raise MalformedClaims("workspaces")
    known = [role.value for role in Role]  # a list: a role that is no text may not be hashable
    return MappingProxyType({_text(ws): Role(role) for ws, role in (claim or {}).items() if role in known})


def _seconds(claim: Any) -> float | None:
    return float(claim) if isinstance(claim, int | float) and not isinstance(claim, bool) else None


def _optional(claim: Any, *, limit: int = MAX_CLAIM) -> str | None:
    return None if claim is None or claim == "" else _text(claim, limit=limit)


def _text(claim: Any, *, limit: int = MAX_CLAIM) -> str:
    if not isinstance(claim, str) or not 0 < len(claim) <= limit or not claim.isprintable():
        raise MalformedClaims("a claim is no text, empty or too long")
    return claim


_REASONS: Final[tuple[tuple[type[Exception], str], ...]] = (
    (jwt.ExpiredSignatureError, "The token has expired."),
    (jwt.ImmatureSignatureError, "The token is not valid yet."),
    (jwt.InvalidAudienceError, "The token is for another audience."),
    (jwt.InvalidIssuerError, "The token is of another issuer."),
    (jwt.InvalidAlgorithmError, "The token is unsigned, or signed with an algorithm that is not accepted."),
    (jwt.InvalidSignatureError, "The token's signature is wrong."),
    (jwt.MissingRequiredClaimError, "The token lacks a required claim."),
)


def _reason(error: BaseException) -> str:
    return next((text for kind, text in _REASONS if isinstance(error, kind)), "The token cannot be read.")


def unauthenticated(detail: str, *, invalid: bool) -> Problem:
    """401. `invalid`: a token was sent and is no good, as RFC 6750 tells apart from none."""
    challenge = f'{CHALLENGE}, error="invalid_token"' if invalid else CHALLENGE
    return Problem(
        401, "unauthenticated", "Sign in, or send a valid token", detail, headers={"WWW-Authenticate": challenge}
    )


def forbidden(detail: str | None = None) -> Problem:
    """403: we know who it is, and the answer is no."""
    return Problem(403, "forbidden", "This is not yours to do", detail)


async def current_caller(
    request: Request, _: Annotated[object, Depends(HTTPBearer(auto_error=False, bearerFormat="JWT"))]
) -> Caller:
    """FastAPI dependency: the verified caller of this request. Raises Problem 401, 403 or 503."""
    verifier: TokenVerifier = request.app.state.verifier
    token, is_session = _token(request)
    request.state.token = token  # for the log, should it be refused
    caller = await verifier.verify(token)
    if is_session:
        require_young(caller, max_seconds=request.app.state.session_max_seconds)
    request.state.caller = caller  # for the frame of a page, and the log
    return caller


def require_young(caller: Caller, *, max_seconds: float) -> None:
    """Raise Problem 401 for a page's session that began more than `max_seconds` ago, or does not say when."""
    if caller.issued_at is None:
        raise unauthenticated("The token does not say when it was issued, so it makes no session.", invalid=True)
    if time.time() - caller.issued_at > max_seconds:
        raise unauthenticated("The session is too old.", invalid=True)


def claimed_subject(token: str) -> str | None:
    """Return whom a token names that was refused: a claim that nobody proved, for the log alone."""
    try:
        return _text(jwt.decode(token, options={"verify_signature": False})["sub"])
    except UNREADABLE:
        return None


def _token(request: Request) -> tuple[str, bool]:
    """Return the token, and whether it is a session's: of the cookie, which comes along by itself."""
    headers = request.headers.getlist("authorization")
    if headers:
        return _bearer(headers), False
    token = request.cookies.get(request.app.state.session_cookie)
    if not token:
        raise unauthenticated("There is no token.", invalid=False)
    _require_same_origin(request)
    return token, True


CurrentCaller = Annotated[Caller, Depends(current_caller)]


def _bearer(headers: list[str]) -> str:
    scheme, _, token = headers[0].partition(" ")
    if len(headers) > 1 or scheme.lower() != "bearer" or not token.strip():
        raise unauthenticated("The Authorization header holds no bearer token.", invalid=True)
    return token.strip()


def _require_same_origin(request: Request) -> None:
    """Let only our own pages change things by a cookie: it comes along by itself, from anybody's page."""
    if request.method in SAFE_METHODS:
        return
    origin = origin_of(request.headers.get("origin") or request.headers.get("referer", ""))
    own = {origin_of(f"{scheme}://{request.headers.get('host', '')}") for scheme in ("http", "https")}
    if origin is None or origin not in own | {request.app.state.public_origin}:
        raise Problem(403, "cross-site", "This request comes from another site")


def require_staff(caller: Caller) -> None:
    """Raise Problem 403 unless this is platform staff."""
    if not caller.is_staff:
        raise forbidden("Only platform staff may do this.")


def require_scope(caller: Caller, scope: str) -> None:
    """Raise Problem 403 unless the token carries `scope`."""
    if not caller.has_scope(scope):
        raise forbidden(f"The token lacks the scope {scope}.")
