"""Which people's sessions have ended: published to whoever takes their tokens, who refuses them from then on."""

from datetime import datetime
from typing import ClassVar

from contracts.fact import Fact


class SessionEnded(Fact):
    """Somebody signed out: the token of the session is not to be taken any more, from anybody."""

    TYPE: ClassVar = "billing.session.ended.v1"

    token_sha256: str
    """SHA-256, in hexadecimal, of the token's signed part: what stands before its last point. Of the rest there are
    several spellings that verify (RFC 7515, and each ECDSA signature has a second one)."""
    expires_at: datetime
    """When the token ends by itself, and needs no remembering any more."""
    occurred_at: datetime

    @property
    def identity(self) -> str:
        return self.token_sha256

    @property
    def subject(self) -> str:
        return self.token_sha256

    @property
    def key(self) -> str:
        return self.token_sha256
