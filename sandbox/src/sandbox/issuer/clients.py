"""The one application that people may sign in to, and how it proves itself."""

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote_plus, urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """`redirect_uri` is compared as a whole: nobody else's address gets a code."""

    client_id: str
    secret: str
    redirect_uri: str

    @property
    def origin(self) -> str:
        """Where people are sent back to, for the policy of our pages."""
        parts = urlsplit(self.redirect_uri)
        return f"{parts.scheme}://{parts.netloc}"

    def is_asked_for(self, query: Mapping[str, str]) -> bool:
        """Return whether an authorization request names this client and its own address."""
        return (query.get("client_id"), query.get("redirect_uri")) == (self.client_id, self.redirect_uri)

    def may_sign_out_to(self, query: Mapping[str, str]) -> bool:
        """Return whether an end-session request names this client and one of its own pages."""
        back = query.get("post_logout_redirect_uri", "")
        return query.get("client_id") == self.client_id and back.startswith(f"{self.origin}/")

    def proves_itself(self, *, authorization: str, form: Mapping[str, str]) -> bool:
        """By `client_secret_basic`, else `client_secret_post`."""
        given = _basic(authorization) or (form.get("client_id", ""), form.get("client_secret", ""))
        return all(
            hmac.compare_digest(one.encode(), ours.encode())
            for one, ours in zip(given, (self.client_id, self.secret), strict=True)
        )


def _basic(header: str) -> tuple[str, str] | None:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return unquote_plus(name), unquote_plus(secret)
