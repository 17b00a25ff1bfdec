"""Problems as people read them: what happened, what it cost, what to do next. The API keeps the words for programs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from chassis.problems import Problem
from chassis.web.auth import SAFE_METHODS


@dataclass(frozen=True, slots=True)
class Words:
    """`None` keeps what the problem itself says."""

    title: str | None = None
    what: str | None = None
    next: str | None = None


NOTHING_DONE: Final = "Nothing was done."
SEND_AGAIN: Final = "What you typed is kept on this page: send it once more. What was done already is not done twice."

WORDS: Final[Mapping[str, Words]] = {
    "forbidden": Words(
        title="This page is not for your role",
        next="Ask the owner of your workspace, or sign out and sign in as somebody else.",
    ),
    "not-found": Words(
        title="There is no such page",
        what="There is nothing at this address, or it is not yours to see.",
        next="Check the address, or go back.",
    ),
    "method-not-allowed": Words(what=NOTHING_DONE, next="Go back and use the page's own buttons."),
    "cross-site": Words(
        title="This request came from another site",
        what="We take requests from our own pages only. Nothing was done.",
        next="Open the page here, and try again.",
    ),
    "invalid-request": Words(
        title="Something in the form is not right", what=NOTHING_DONE, next="Go back, correct it, and send it again."
    ),
    "malformed-body": Words(title="The form cannot be read", what=NOTHING_DONE, next="Go back, and send it again."),
    "sign-in-failed": Words(next="Sign in again."),
    "sign-in-unavailable": Words(what="You are not signed in.", next="Try again in a moment."),
    "sign-in-not-set-up": Words(what="You are not signed in.", next="Our team has to set it up first."),
    "temporarily-unavailable": Words(
        title="We cannot answer right now", what="This passes by itself.", next="Try again in a moment."
    ),
    "issuer-unavailable": Words(
        title="We cannot see who you are right now", what=NOTHING_DONE, next="Try again in a moment."
    ),
    "internal-error": Words(
        title="Something went wrong on our side",
        what="It was written down for our team.",
        next="Try again in a moment.",
    ),
}
HALF_WAY: Final[Mapping[str, Words]] = {
    "internal-error": Words(
        title="Something went wrong on our side", what="We cannot say here how far it got.", next=SEND_AGAIN
    ),
    "temporarily-unavailable": Words(
        title="We cannot answer right now", what="We cannot say here how far it got.", next=SEND_AGAIN
    ),
}
"""Of a form: each of them says what it was made from, by a key, a version or what its page showed."""
WHEN_READING: Final[Mapping[str, Words]] = {
    "invalid-request": Words(
        title="This address is not right",
        what="Something in it cannot be read.",
        next="Check the address, or open the page anew.",
    ),
}
"""Of a request that was to change nothing: there was no form."""


FOR_STAFF: Final[Mapping[str, Words]] = {
    "forbidden": Words(
        title="This page is not for staff",
        next="Staff have pages of their own. To see this one, sign out and sign in as somebody whose page it is.",
    ),
}


def for_people(problem: Problem, words: Mapping[str, Words], *, method: str, is_staff: bool = False) -> Words:
    """Return all three, complete; `words` are the service's, which go before ours."""
    said = words.get(problem.slug) or (FOR_STAFF.get(problem.slug) if is_staff else None)
    said = said or (WHEN_READING if method in SAFE_METHODS else HALF_WAY).get(problem.slug)
    said = said or WORDS.get(problem.slug, Words())
    return Words(
        title=said.title or problem.title,
        what=(problem.detail or "") if said.what is None else said.what,
        next=said.next or "Go back, or start anew.",
    )
