"""How events and webhook endpoints look."""

from sandbox.stripe.model import Event, Json, WebhookEndpoint
from sandbox.stripe.versions import Era


def event(thing: Event, *, data: Json, previous: Json | None, version: str, pending_webhooks: int) -> Json:
    """Render https://docs.stripe.com/api/events/object; `data` is rendered for the receiver's version."""
    return {
        "id": thing.id,
        "object": "event",
        "api_version": version,
        "created": thing.created,
        "data": {"object": data} | ({"previous_attributes": previous} if previous is not None else {}),
        "livemode": False,
        "pending_webhooks": pending_webhooks,
        "request": {"id": thing.request_id, "idempotency_key": thing.idempotency_key},
        "type": thing.type,
    }


def webhook_endpoint(thing: WebhookEndpoint, _: Era) -> Json:
    """Render https://docs.stripe.com/api/webhook_endpoints/object; the secret is shown at creation only."""
    return {
        "id": thing.id,
        "object": "webhook_endpoint",
        "api_version": thing.api_version,
        "application": None,
        "created": thing.created,
        "description": thing.description,
        "enabled_events": list(thing.enabled_events),
        "livemode": False,
        "metadata": dict(thing.metadata),
        "status": thing.status,
        "url": thing.url,
    }
