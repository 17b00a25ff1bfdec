"""Pages of Stripe's that a browser is sent to: sessions of Checkout and of the customer portal."""

from datetime import datetime

from stripe_reader.stripe_json import Json, optional_time, required_id, text
from stripe_reader.value import Value


class HostedPage(Value):
    """Where the browser goes, whereto the page leads it back, and until when the page is open."""

    session_id: str
    url: str | None
    """None once a Checkout session is over."""
    return_url: str | None
    expires_at: datetime | None


def read_hosted_page(session: Json) -> HostedPage:
    """Return what a session says of its page. Raises UnknownShape.

    Source: https://docs.stripe.com/api/checkout/sessions/object, https://docs.stripe.com/api/customer_portal/sessions.
    """
    return HostedPage(
        session_id=required_id(session, "id"),
        url=text(session, "url"),
        return_url=text(session, "success_url") or text(session, "return_url"),
        expires_at=optional_time(session, "expires_at"),
    )
