"""What a secret looks like: pure, so that a refusal names the rule that is broken and never the value."""

import re
from hashlib import sha256
from typing import Final

from chassis.process.published_secrets import PUBLISHED

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
        "stripe_secret_key",
        "session_secret",
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
PREFIX: Final = re.compile(r"whsec_|[sr]k_(?:live|test)_")
SHORTEST_WEBHOOK_SECRET: Final = 24
SHORTEST_KEY: Final = 16
SHORTEST_SESSION_SECRET: Final = 32
UNSEEN: Final = "a blank, a quotation mark or a sign that cannot be seen stands in it"
KIND_OF_KEY: Final = (
    "it begins with none of sk_live_, rk_live_, sk_test_ and rk_test_, as secret and restricted keys do"
)


def bare(secret: str) -> str:
    """Return `secret` without the blanks and quotation marks that a shell or a YAML file left around it."""
    return secret.strip().strip("\"'").strip()


def is_placeholder(secret: str) -> bool:
    """Return whether `secret` is what stands in an example file or what `str(None)` leaves behind."""
    word = bare(secret).lower()
    rest = PREFIX.sub("", word, count=1) if PREFIX.match(word) else word
    return word in PLACEHOLDERS or rest in PLACEHOLDERS or PLACEHOLDER_SHAPE.fullmatch(rest) is not None


def is_published(secret: str) -> bool:
    """Return whether everybody can read `secret` in this repository."""
    return sha256(bare(secret).encode("utf-8", "surrogatepass")).hexdigest() in PUBLISHED


def webhook_secret_fault(secret: str) -> str | None:
    """Return the rule that `secret` breaks as a signing secret of Stripe's, or None for one that may count.

    Source of the prefix: https://docs.stripe.com/webhooks#verify-official-libraries.
    """
    word = bare(secret)
    if not word.startswith("whsec_"):
        return "it does not begin with whsec_, as each signing secret of Stripe's does"
    if not re.fullmatch(r"whsec_[A-Za-z0-9+/=_-]*", word):
        return f"a character stands in it that no signing secret has: {UNSEEN}, for example"
    if len(word) < len("whsec_") + SHORTEST_WEBHOOK_SECRET:
        return f"it has fewer than {SHORTEST_WEBHOOK_SECRET} characters after whsec_"
    return _known(word)


def stripe_key_fault(key: str) -> str | None:
    """Return the rule that `key` breaks as a secret or restricted key of Stripe's, or None for one that may be used.

    Source of the prefixes: https://docs.stripe.com/keys#obtain-api-keys.
    """
    word = bare(key)
    if not re.match(r"[sr]k_(live|test)_", word):
        return KIND_OF_KEY
    if word != key or not re.fullmatch(r"[A-Za-z0-9_]*", word):
        return f"a character stands in it that no key has: {UNSEEN}, for example"
    if is_placeholder(word):
        return _known(word)
    if len(PREFIX.sub("", word, count=1)) < SHORTEST_KEY:
        return "it is shorter than any key of Stripe's"
    return _known(word)


def session_secret_fault(secret: str) -> str | None:
    """Return the rule that `secret` breaks as one that signs what a browser keeps, or None for one that may count."""
    word = bare(secret)
    if len(word) < SHORTEST_SESSION_SECRET:
        return f"it has fewer than {SHORTEST_SESSION_SECRET} characters"
    if not re.fullmatch(r"[!-~]*", word):
        return f"a character stands in it that is no letter, digit or mark of ASCII: {UNSEEN}, for example"
    return _known(word)


def _known(word: str) -> str | None:
    if is_placeholder(word):
        return "it is a placeholder"
    return "it stands in the repository of Quittance, where everybody can read it" if is_published(word) else None
