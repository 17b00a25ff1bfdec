"""`bootstrap-stripe` makes the webhook endpoint, and keeps it as it should be."""

from catalog.stripe_setup.webhook import API_VERSION, EVENT_TYPES
from tests.integration.catalog.conftest import URL, Account


async def test_it_makes_the_webhook_endpoint_with_our_events_and_a_pinned_version(account: Account) -> None:
    said = await account.set_up()

    [endpoint] = await account.objects("webhook_endpoints")
    assert (endpoint["url"], endpoint["api_version"]) == (URL, API_VERSION)
    assert list(EVENT_TYPES) == endpoint["enabled_events"]
    assert sum("whsec_" in line for line in said) == 1
    assert any("STRIPE_WEBHOOK_SECRETS" in line for line in said)
    assert any("portal" in line for line in said)


async def test_a_new_address_or_a_disabled_endpoint_is_brought_up_to_date(account: Account) -> None:
    await account.set_up()
    [endpoint] = await account.objects("webhook_endpoints")
    await account.client.v1.webhook_endpoints.update_async(endpoint["id"], {"disabled": True})

    said = await account.set_up(webhook_url="https://other.example/billing/webhook")

    [updated] = await account.objects("webhook_endpoints")
    assert (updated["id"], updated["status"]) == (endpoint["id"], "enabled")
    assert updated["url"] == "https://other.example/billing/webhook"
    assert not any("whsec_" in line for line in said)


async def test_an_endpoint_of_another_version_is_left_running_beside_a_new_one(account: Account) -> None:
    old = await account.client.v1.webhook_endpoints.create_async(
        {"url": URL, "enabled_events": ["*"], "api_version": "2024-06-20"}
    )

    said = await account.set_up()

    assert len(await account.objects("webhook_endpoints")) == 2
    assert any(old.id in line and "disable it" in line for line in said)


async def test_without_an_address_the_webhook_is_left_alone_and_that_is_said(account: Account) -> None:
    said = await account.set_up(webhook_url=None)

    assert await account.objects("webhook_endpoints") == []
    assert any("--webhook-url" in line for line in said)
