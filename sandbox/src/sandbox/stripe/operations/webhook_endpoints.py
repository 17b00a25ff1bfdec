"""Webhook endpoints (https://docs.stripe.com/api/webhook_endpoints)."""

from dataclasses import replace

from sandbox.stripe.call import Call
from sandbox.stripe.ids import new_id
from sandbox.stripe.listing import page
from sandbox.stripe.model import Json, WebhookEndpoint
from sandbox.stripe.refusals import Refusal, parameter_invalid, parameter_missing
from sandbox.stripe.render import render
from sandbox.stripe.versions import is_version


def create(call: Call) -> Json:
    """Create the endpoint; this answer, and no later one, shows the signing secret."""
    params = call.params
    version = params.text("api_version")
    if version and not is_version(version):
        raise Refusal(f"Invalid API version: {version}", param="api_version")
    endpoint = WebhookEndpoint(
        id=new_id(prefix="we"),
        created=call.now,
        metadata=params.metadata(),
        url=_url(params.required("url")),
        secrets=(new_id(prefix="whsec"),),
        enabled_events=_events(call),
        api_version=version,
        description=params.text("description"),
    )
    call.save(endpoint)
    return render(endpoint, version=call.version) | {"secret": endpoint.secrets[0]}


def retrieve(call: Call) -> WebhookEndpoint:
    return call.account.webhook_endpoints.get(call.id)


def update(call: Call) -> WebhookEndpoint:
    """URL, events, description, metadata, and whether it is disabled. The version cannot change."""
    before = call.account.webhook_endpoints.get(call.id)
    params = call.params
    disabled = params.boolean("disabled")
    url = params.text("url")
    changed = replace(
        before,
        metadata=params.metadata(current=before.metadata),
        url=_url(url) if url else before.url,
        enabled_events=_events(call) if params.has("enabled_events") else before.enabled_events,
        description=params.unset_or_text("description", current=before.description),
        status=before.status if disabled is None else "disabled" if disabled else "enabled",
    )
    return call.save(changed)


def delete(call: Call) -> Json:
    endpoint = call.account.webhook_endpoints.get(call.id)
    call.account.webhook_endpoints.remove(endpoint)
    return {"id": endpoint.id, "object": "webhook_endpoint", "deleted": True}


def list_(call: Call) -> Json:
    return page(call=call, things=call.account.webhook_endpoints.newest_first(), url="/v1/webhook_endpoints")


def _events(call: Call) -> tuple[str, ...]:
    wanted = call.params.texts("enabled_events")
    if not wanted:
        raise parameter_missing(param="enabled_events")
    return tuple(wanted)


def _url(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise parameter_invalid("Invalid URL: must be a valid http(s) URL.", param="url", code="url_invalid")
    return url
