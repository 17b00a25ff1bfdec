"""What every object of Stripe is here: frozen, so that an event can keep the object as it was."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """What every object of Stripe has. A change is `replace`d into the account, never made in place."""

    kind: ClassVar[str]

    id: str
    created: int
    metadata: Mapping[str, str] = field(default_factory=dict)
