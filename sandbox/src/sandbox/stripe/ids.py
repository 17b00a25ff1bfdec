"""Ids, secrets and tokens that look like Stripe's."""

import os
import string
from typing import Final

_ALPHABET: Final = (string.ascii_letters + string.digits).encode()
_BYTE_TO_LETTER: Final = bytes(_ALPHABET[byte % len(_ALPHABET)] for byte in range(256))

LENGTHS: Final = {"cus": 14, "prod": 14, "req": 14, "whsec": 32, "cs_test": 58}
"""Random characters after the prefix; every other object has 24."""


def new_id(*, prefix: str) -> str:
    """Make an id such as `in_1Nq…`."""
    return f"{prefix}_{new_token(length=LENGTHS.get(prefix, 24))}"


def new_token(*, length: int) -> str:
    """Make `length` random letters and digits; one call to the system, since every request makes several."""
    return os.urandom(length).translate(_BYTE_TO_LETTER).decode()
