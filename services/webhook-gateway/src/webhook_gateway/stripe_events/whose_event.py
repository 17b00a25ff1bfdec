"""Whose event it is: what its envelope says of the account, held against this deployment's own (SPEC §4)."""

from enum import StrEnum
from typing import Final

from stripe_reader.stripe_json import Json

LONGEST_SHOWN: Final = 100
"""Characters of a foreign account's name that are logged."""


class Whose(StrEnum):
    """What the envelope says."""

    OURS = "ours"
    FOREIGN = "foreign"
    UNCHECKED = "unchecked"
    """It names a context, and no setting says which is ours."""


def whose_event(event: Json, *, account_id: str | None) -> Whose:
    """Return whose event it is; for what a webhook brings and for what is fetched from Stripe's list of events.

    An account's own events name nothing. A connected account's name it in `account`, and since 2025-04-30.basil in
    `context` too; an organization's endpoint receives `context` alone.
    Source: https://docs.stripe.com/changelog/basil/2025-04-30/additional-context-organization-events.
    """
    account, context = event.get("account"), event.get("context")
    if account is None and context is None:
        return Whose.OURS
    if account_id is None:
        return Whose.UNCHECKED if account is None else Whose.FOREIGN
    return Whose.OURS if account in (None, account_id) and context in (None, account_id) else Whose.FOREIGN


def other_account(event: Json, *, account_id: str | None) -> str | None:
    """Return what the envelope names that is not `account_id`, for a log line; None where nothing could be shown."""
    named = next((one for one in (event.get("account"), event.get("context")) if one not in (None, account_id)), None)
    return named[:LONGEST_SHOWN] if isinstance(named, str) and named.isprintable() else None
