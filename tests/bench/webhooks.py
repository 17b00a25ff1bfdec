"""Stripe's `invoice.payment_succeeded` about purchases of ours: bodies of about 5 KB, signed, as whole requests."""

import hashlib
import hmac
import time
import uuid
from dataclasses import dataclass, field
from typing import Final

from tests.fixtures.stripe_events import BASIL, body_of, event

PATH: Final = "/billing/webhook"
EVENT: Final = event("invoice.payment_succeeded", BASIL)
INVOICE: Final = EVENT["data"]["object"]
TEMPLATE: Final = body_of(EVENT).decode()
PRICE_CENTS: Final[int] = INVOICE["amount_paid"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """One purchase with its ids at Stripe; every workspace buys once."""

    purchase_id: uuid.UUID = field(default_factory=uuid.uuid4)
    workspace_id: str = field(default_factory=lambda: f"ws-{uuid.uuid4().hex[:12]}")
    customer_id: str = field(default_factory=lambda: f"cus_{uuid.uuid4().hex[:14]}")
    invoice_id: str = field(default_factory=lambda: f"in_{uuid.uuid4().hex[:24]}")
    intent_id: str = field(default_factory=lambda: f"pi_{uuid.uuid4().hex[:24]}")
    event_id: str = field(default_factory=lambda: f"evt_{uuid.uuid4().hex[:24]}")


def paid_event(sale: Sale) -> bytes:
    """The webhook's body that says that `sale` is paid."""
    body = TEMPLATE
    for old, new in (
        (EVENT["id"], sale.event_id),
        (INVOICE["id"], sale.invoice_id),
        (INVOICE["customer"], sale.customer_id),
        (INVOICE["metadata"]["workspace_id"], sale.workspace_id),
        (INVOICE["metadata"]["purchase_id"], str(sale.purchase_id)),
    ):
        body = body.replace(old, new)
    return body.encode()


def signed_request(body: bytes, *, secret: str) -> str:
    """The whole HTTP request, signed now: the gateway takes it for the next five minutes."""
    timestamp = int(time.time())
    digest = hmac.new(secret.encode(), b"%d.%b" % (timestamp, body), hashlib.sha256).hexdigest()
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Stripe/1.0 (+https://stripe.com/docs/webhooks)\r\n"
        f"Accept: */*\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
        f"Stripe-Signature: t={timestamp},v1={digest}\r\n\r\n"
    )
    return head + body.decode()
