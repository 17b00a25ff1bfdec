"""What a secret looks like: pure, so that a refusal names the rule that is broken and never the value."""

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Final

PUBLISHED: Final[Mapping[str, str]] = {
    "c12a28492e130bba8fe7e45c2d7ab3ca3eb3021876166a0864a7b93a7fc0decb": "docker-compose.yml, deploy/docker/stack.json",
    "17327e264ca750bd32f5a7747f3aa612cf138b56fb26be387ecbd1e6cfb4bbb6": "tests/unit/webhook_gateway",
    "3e3b8e62bf5a327516b3c6b3aa9cb0fa64e50180d823a518053924cd43693c55": "tests/unit/webhook_gateway",
    "a8cd901d7a9581982f8854cb5b7e19416319b7305479e5d6ac8c216b5725a32b": "tests/unit/chassis/test_settings.py",
    "9fb3018c97d33950b6821b47120f5a6dcaa5bfa055de50ed09def863a6eea253": "the sandbox, docker-compose.yml",
    "a83baeb951d82a021105c60556bac44756fe337a6d03359cf22dd5d2d9c59a8c": "docker-compose.yml: SESSION_SECRET",
    "df3e273412ba144f9fd8c306e631774d1b38442104e46b34cc8b1267825d2173": "the sandbox: SESSION_SECRET",
    "dacb793352cc19fb8e9865aadea5f49e77ae7b8f1c7b9a25cd4dd8d140de7084": "docker-compose.yml: OIDC_CLIENT_SECRET",
    "48b9c8f337fee5a5f2a3278cf006f0bb9e183bf54c7f1e53c0b32c510e96badd": "the sandbox: OIDC_CLIENT_SECRET",
    "d22eaf6da30476e40e297971ede7183e1875744557ef8e41c4d43f6c5bb27b1f": "docker-compose.yml: a database's password",
    "7696ba3f3ecd2a1755185bece12ab3ddcf087e268feb8b739785e39f3e510c70": "docker-compose.yml: a database's password",
    "abdfd7134f93e00ec4852daf08b8c18dc519a1376a68b1b3afe1f56ce0bfe3d7": "docker-compose.yml: a database's password",
    "59f000a9502b8f0b5a9a4b8025df77f625fa071c406be61bb6c96ada45c9771d": "docker-compose.yml: a database's password",
    "aff18f39f7a3aba1e97ce69a11776667cec0ae07d77fb166bdac0e82d2e9c983": "services/purchases/src/purchases/openapi.py",
    "29fa96143b288d08c94bd087b9eeb17fd433f1c95bf36acb5f77357969de2071": "tests/unit/catalog",
}
"""Hashes (SHA-256) of the secrets that this repository publishes, and where: none of them protects anything.

A test reads the whole tree, so that a secret that is published anew must be added here; none is ever taken out, for the
history is public too.
"""
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
