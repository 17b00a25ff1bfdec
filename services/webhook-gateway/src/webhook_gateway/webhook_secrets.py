"""Which signing secrets count, and what follows when there is none: closed, except on a developer's machine."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

PLACEHOLDERS: Final = frozenset(
    {
        "none",
        "null",
        "nil",
        "undefined",
        "false",
        "empty",
        "unset",
        "missing",
        "todo",
        "tbd",
        "fixme",
        "dummy",
        "example",
        "placeholder",
        "secret",
        "whsec",
        "changeme",
        "webhook-secret",
        "webhook_secret",
        "signing-secret",
        "signing_secret",
        "stripe_webhook_secret",
        "stripe_webhook_secrets",
    }
)
PLACEHOLDER_SHAPE: Final = re.compile(
    r"""
      [.*x_\-…\s0?]*             # whsec_..., whsec_xxxx, ****, 0000
    | your.*                     # whsec_your_secret_here
    | (replace|change|insert)[-_ ]?(me|this|here|it).*
    | <.*> | \$\{.*\} | \{\{.*\}\} | \$\(.*\) | %.*%     # a template that nobody filled in
    """,
    re.VERBOSE,
)


class Policy(StrEnum):
    """What the gateway does with a request's signature."""

    ENFORCE = "enforce"
    REFUSE_ALL = "refuse-all"
    ACCEPT_UNSIGNED = "accept-unsigned"


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningSecrets:
    """The usable secrets, in the order given, and the policy that follows. Never printed: `repr` hides them."""

    policy: Policy
    secrets: tuple[bytes, ...]
    ignored: int
    """How many were given that are placeholders."""

    def __repr__(self) -> str:
        return f"SigningSecrets(policy={self.policy.value}, usable={len(self.secrets)}, ignored={self.ignored})"


def signing_secrets(*, given: Iterable[str], protected: bool) -> SigningSecrets:
    """Sort out what was configured. Blank ones were not given at all; a placeholder never opens the door."""
    named = list(dict.fromkeys(secret for item in given if (secret := bare(item))))
    usable = tuple(secret.encode() for secret in named if not is_placeholder(secret))
    policy = _policy(usable=usable, named=named, protected=protected)
    return SigningSecrets(policy=policy, secrets=usable, ignored=len(named) - len(usable))


def is_placeholder(secret: str) -> bool:
    """Whether `secret` is what stands in an example file or what `str(None)` leaves behind."""
    word = bare(secret).lower()
    rest = word.removeprefix("whsec_")
    return word in PLACEHOLDERS or rest in PLACEHOLDERS or PLACEHOLDER_SHAPE.fullmatch(rest) is not None


def bare(secret: str) -> str:
    """Without the blanks and quotation marks that a shell or a YAML file left around it."""
    return secret.strip().strip("\"'").strip()


def _policy(*, usable: tuple[bytes, ...], named: list[str], protected: bool) -> Policy:
    if usable:
        return Policy.ENFORCE
    if protected or named:
        return Policy.REFUSE_ALL
    return Policy.ACCEPT_UNSIGNED
