"""Conditional requests: a row's ETag is its sequence, a public list's is a digest of its bytes (RFC 9110 §13)."""

from hashlib import sha256

from chassis.problems import Problem


class PreconditionRequired(Problem):
    """An edit came without If-Match, so it could undo somebody else's edit unseen."""

    def __init__(self) -> None:
        super().__init__(428, "precondition-required", "If-Match is required", "Send the ETag of what you edit.")


class PreconditionFailed(Problem):
    """It was changed since it was read."""

    def __init__(self, *, etag: str) -> None:
        detail = "Read it again and repeat the edit on what it is now."
        super().__init__(412, "precondition-failed", "It has changed since it was read", detail, headers={"ETag": etag})


def etag_of(*, sequence: int) -> str:
    """Return the strong ETag of something's `sequence`-th state."""
    return f'"{sequence}"'


def digest_etag(body: bytes) -> str:
    """Return a strong ETag that only equal bytes share."""
    return f'"{sha256(body).hexdigest()[:32]}"'


def require_match(*, if_match: str | None, etag: str) -> None:
    """Raise PreconditionRequired without If-Match, PreconditionFailed when it does not name `etag`."""
    if if_match is None:
        raise PreconditionRequired
    if not {"*", etag} & _named(if_match):
        raise PreconditionFailed(etag=etag)


def is_known(*, if_none_match: str | None, etag: str) -> bool:
    """Return whether the caller already holds `etag`, compared weakly: a proxy that compressed it says `W/`."""
    named = {name.removeprefix("W/") for name in _named(if_none_match or "")}
    return bool({"*", etag} & named)


def _named(header: str) -> set[str]:
    return {name.strip() for name in header.split(",")}
