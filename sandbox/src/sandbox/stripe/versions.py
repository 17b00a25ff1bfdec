"""Which of the two shapes of Stripe's objects an API version means."""

import re
from enum import Enum
from typing import Final

CURRENT: Final = "2026-10-28.endive"
"""The version that stripe-python 16.1 pins."""

BASIL: Final = "2025-03-31"
"""The day invoices lost `payment_intent`, `charge` and `paid`, and charges and intents their `invoice`."""

_VERSION: Final = re.compile(r"\d{4}-\d{2}-\d{2}(\.[a-z_]+)?")


class Era(Enum):
    """Before, or since, 2025-03-31.basil."""

    LEGACY = "legacy"
    BASIL = "basil"


def era_of(version: str) -> Era:
    """Say which shape `version` has. The day at its front decides; ISO days sort as text."""
    return Era.BASIL if version[:10] >= BASIL else Era.LEGACY


def is_version(version: str) -> bool:
    """Return whether `version` is written as Stripe writes one: a day and, since acacia, a name."""
    return _VERSION.fullmatch(version) is not None
