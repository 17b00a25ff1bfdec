"""What may happen to webhooks on their way, on request: lost, doubled, late, out of order, held back."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from sandbox.stripe.ids import new_token
from sandbox.stripe.model import Json


class Mishap(StrEnum):
    """One thing that may happen to a delivery."""

    DROP = "drop"
    """Never delivered; still in the event list."""
    DUPLICATE = "duplicate"
    """Delivered `copies` times, at once."""
    DELAY = "delay"
    """Delivered `seconds` later."""
    REORDER = "reorder"
    """Collected for `seconds`, then delivered one after the other: in the `order` of types, or last first."""
    HOLD = "hold"
    """Kept until released."""


@dataclass(slots=True, kw_only=True)
class WebhookRule:
    """`type` is an event type or a pattern (`invoice.*`). `times` null: until reset. `endpoint`: an id, or any.

    `order` names types or patterns; what it does not name comes last.
    """

    mishap: Mishap
    type: str = "*"
    endpoint: str = "*"
    times: int | None = None
    copies: int = 2
    seconds: float = 0.2
    order: Sequence[str] = ()
    id: str = field(default_factory=lambda: f"rule_{new_token(length=8)}")
    hits: int = 0

    def place_of(self, type: str) -> int:  # noqa: A002
        """Return where `order` puts an event of this type."""
        named = (place for place, pattern in enumerate(self.order) if fnmatchcase(type, pattern))
        return next(named, len(self.order))

    def as_json(self) -> Json:
        """Return the rule with the number of deliveries that it has met."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(slots=True, kw_only=True)
class WebhookRules:
    """The rules in force. Every one that fits meets the delivery, each mishap once."""

    rules: list[WebhookRule] = field(default_factory=list)

    def add(self, **wanted: Any) -> WebhookRule:
        """Add a rule. Raises TypeError or ValueError for one that makes no sense."""
        rule = WebhookRule(**{**wanted, "mishap": Mishap(wanted["mishap"])})
        self.rules.append(rule)
        return rule

    def hits(self, *, type: str, endpoint: str) -> dict[Mishap, WebhookRule]:  # noqa: A002
        """Return the rules that meet this delivery, counted down."""
        met: dict[Mishap, WebhookRule] = {}
        for rule in self.rules:
            fits = fnmatchcase(type, rule.type) and fnmatchcase(endpoint, rule.endpoint)
            if fits and rule.times != 0 and rule.mishap not in met:
                rule.times = None if rule.times is None else rule.times - 1
                rule.hits += 1
                met[rule.mishap] = rule
        return met
