"""Ids, secrets and tokens that look like Stripe's."""

import secrets
import string
from typing import Final

_ALPHABET: Final = string.ascii_letters + string.digits

LENGTHS: Final = {"cus": 14, "prod": 14, "req": 14, "whsec": 32}
"""Random characters after the prefix; every other object has 24."""


def new_id(*, prefix: str) -> str:
    """Make an id such as `in_1Nq…`."""
    return f"{prefix}_{new_token(length=LENGTHS.get(prefix, 24))}"


def new_token(*, length: int) -> str:
    """Make `length` random letters and digits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
