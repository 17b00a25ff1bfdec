"""Which signing secrets count, and what follows when there is none: closed, except on a developer's machine."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from chassis.process.secret_shapes import bare, is_placeholder, webhook_secret_fault


class Policy(StrEnum):
    """What the gateway does with a request's signature."""

    ENFORCE = "enforce"
    REFUSE_ALL = "refuse-all"
    ACCEPT_UNSIGNED = "accept-unsigned"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoSecret:
    """One configured value that is no secret: which one it is, and the rule that it breaks; never the value."""

    position: int
    """From 1, among those that are not blank."""
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningSecrets:
    """The usable secrets, in the order given, and the policy that follows. Never printed: `repr` hides them."""

    policy: Policy
    secrets: tuple[bytes, ...]
    refused: tuple[NoSecret, ...] = ()
    """What was given and is no secret."""

    def __repr__(self) -> str:
        return f"SigningSecrets(policy={self.policy.value}, usable={len(self.secrets)}, refused={self.refused})"


def signing_secrets(*, given: Iterable[str], protected: bool) -> SigningSecrets:
    """Sort out what was configured. Blank ones were not given at all; what is no secret never opens the door.

    A protected deployment takes what has the shape of Stripe's secrets and is not published (SPEC §4); a developer's
    machine takes all but placeholders.
    """
    named = list(dict.fromkeys(secret for item in given if (secret := bare(item))))
    faults = {secret: _fault(secret, protected=protected) for secret in named}
    usable = tuple(_bytes(secret) for secret, fault in faults.items() if fault is None)
    refused = tuple(
        NoSecret(position=position, rule=fault) for position, fault in enumerate(faults.values(), 1) if fault
    )
    policy = _policy(usable=usable, named=named, protected=protected)
    return SigningSecrets(policy=policy, secrets=usable, refused=refused)


def _fault(secret: str, *, protected: bool) -> str | None:
    if protected:
        return webhook_secret_fault(secret)
    return "it is a placeholder" if is_placeholder(secret) else None


def _bytes(secret: str) -> bytes:
    return secret.encode("utf-8", "surrogatepass")


def _policy(*, usable: tuple[bytes, ...], named: list[str], protected: bool) -> Policy:
    if usable:
        return Policy.ENFORCE
    if protected or named:
        return Policy.REFUSE_ALL
    return Policy.ACCEPT_UNSIGNED
