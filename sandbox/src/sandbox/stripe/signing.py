"""The `Stripe-Signature` header (https://docs.stripe.com/webhooks/signature)."""

import hashlib
import hmac
from collections.abc import Iterable


def signature_header(*, body: bytes, secrets: Iterable[str], timestamp: int) -> str:
    """Return `t=…,v1=…` with one v1 for each secret, as Stripe sends while a secret is rotated."""
    signed = b"%d." % timestamp + body
    marks = (hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets)
    return ",".join([f"t={timestamp}", *(f"v1={mark}" for mark in marks)])
