"""Who was not let in, from where and why: one line of the log for each 401 and 403, however its answer looks."""

from typing import Any, Final

from starlette.types import Scope

from chassis.problems import Problem
from chassis.process.logs import get_logger
from chassis.web.auth import Caller, claimed_subject

log = get_logger(__name__)

REFUSED: Final = frozenset({401, 403})
LONGEST: Final = 200


def log_refused(scope: Scope, *, status: int, method: str, route: str) -> None:
    """Log the request if it was refused, also where its answer leads to the sign-in; without a token nobody was.

    `subject` was proven; `claimed_subject` is what a token says that was refused. `address` is who is connected, a
    reverse proxy as a rule; `forwarded_for` is what was sent along, and anybody can send that.
    """
    state: dict[str, Any] = scope.get("state", {})
    problem: Problem | None = state.get("problem")
    if status not in REFUSED and not _led_away(problem, state):
        return
    caller: Caller | None = state.get("caller")
    log.warning(
        "refused",
        status=status,
        method=method,
        route=route,
        subject=caller.subject if caller else None,
        claimed_subject=claimed_subject(state["token"]) if "token" in state and caller is None else None,
        reason=f"{problem.slug}: {problem.detail or problem.title}" if problem else None,
        **address_of(scope),
    )


def address_of(scope: Scope) -> dict[str, str | None]:
    """Return where a request comes from, for the log."""
    client = scope.get("client")
    forwarded = b", ".join(value for name, value in scope["headers"] if name == b"x-forwarded-for")
    return {
        "address": client[0] if client else None,
        "forwarded_for": _short(forwarded.decode("latin-1")) or None,
    }


def _led_away(problem: Problem | None, state: dict[str, Any]) -> bool:
    """Return whether the session is no good any more: its page leads to the sign-in, with another status."""
    return problem is not None and problem.status in REFUSED and "token" in state


def _short(text: str) -> str:
    return "".join(character for character in text[:LONGEST] if character.isprintable())
