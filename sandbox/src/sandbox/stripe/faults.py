"""Faults on request: what goes wrong on the way to Stripe, inside it, and on the way back."""

from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from sandbox.stripe.ids import new_token
from sandbox.stripe.model import Json
from sandbox.stripe.routing import OPERATIONS


class Fault(StrEnum):
    """`before` and `after` are of the commit: whether the request has had its effect."""

    LATENCY = "latency"
    """Wait `seconds` with the idempotency key in use, then go on."""
    LATE = "late"
    """Done and stored at once, webhooks sent; the true answer comes `seconds` later."""
    RATE_LIMIT = "rate_limit"
    """429, nothing done, nothing stored."""
    FORBIDDEN = "forbidden"
    """403 as of a restricted key that lacks the right, which the message names; nothing done, nothing stored."""
    OTHER_PARAMETERS = "other_parameters"
    """400 `idempotency_error`, as if the key had been used with other parameters; nothing done."""
    REFUSED = "refused"
    """400 `invalid_request_error` with the rule's `code`, `param` and `message`; nothing done, nothing stored."""
    ERROR_BEFORE = "error_before"
    """5xx with nothing done; stored under the key unless `stored` is false."""
    ERROR_AFTER = "error_after"
    """5xx although it was done; stored under the key unless `stored` is false (then the true answer is)."""
    HANG_BEFORE = "hang_before"
    """No answer for `seconds`, nothing done, nothing stored."""
    HANG_AFTER = "hang_after"
    """Done and stored, then no answer for `seconds`."""
    CLOSE_BEFORE = "close_before"
    """The connection breaks, nothing done, nothing stored."""
    CLOSE_AFTER = "close_after"
    """Done and stored, then the connection breaks."""


@dataclass(slots=True, kw_only=True)
class Rule:
    """`operation` is a name of OPERATIONS or a pattern of names (`invoices.*`). `times` null: until reset."""

    fault: Fault
    operation: str = "*"
    times: int | None = 1
    skip: int = 0
    seconds: float = 60
    status: int = 500
    stored: bool = True
    code: str | None = None
    param: str | None = None
    message: str = "Not like this."
    id: str = field(default_factory=lambda: f"fault_{new_token(length=8)}")
    hits: int = 0

    def as_json(self) -> Json:
        """Return the rule with the number of requests that it has spoiled."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(slots=True, kw_only=True)
class Faults:
    """The rules in force, oldest first; the first that fits is used."""

    rules: list[Rule] = field(default_factory=list)

    def add(self, **wanted: Any) -> Rule:
        """Add a rule. Raises KeyError, TypeError or ValueError for one that makes no sense."""
        rule = Rule(**{**wanted, "fault": Fault(wanted["fault"])})
        if not any(fnmatchcase(known.name, rule.operation) for known in OPERATIONS):
            raise ValueError(f"no operation is named {rule.operation}")
        self.rules.append(rule)
        return rule

    def hit(self, operation: str) -> Rule | None:
        """Return the rule that spoils this request, counted down."""
        for rule in self.rules:
            if not fnmatchcase(operation, rule.operation) or rule.times == 0:
                continue
            if rule.skip:
                rule.skip -= 1
                continue
            rule.times = None if rule.times is None else rule.times - 1
            rule.hits += 1
            return rule
        return None
