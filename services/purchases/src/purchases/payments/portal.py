"""Stripe's Customer Portal, in the configurations that `bootstrap-stripe` made."""

from stripe import StripeClient

from purchases.payments.checkout import HostedPage
from purchases.payments.client import metadata_of_object, phase


async def open_portal(
    client: StripeClient, *, instance: str, customer_id: str, return_url: str, cancel: str
) -> HostedPage | None:
    """A session of the portal in which cancelling means `cancel`; None where no such configuration was made."""
    configuration_id = await _configuration(client, instance=instance, cancel=cancel)
    if configuration_id is None:
        return None
    async with phase("portal_session"):
        session = await client.v1.billing_portal.sessions.create_async(
            params={"customer": customer_id, "configuration": configuration_id, "return_url": return_url}
        )
    return HostedPage(session.id, session.url)


async def _configuration(client: StripeClient, *, instance: str, cancel: str) -> str | None:
    """Configurations have no lookup keys: they are known by their metadata."""
    wanted = {"quittance_instance": instance, "cancel": cancel}
    async with phase("portal_configurations"):
        listed = await client.v1.billing_portal.configurations.list_async(params={"active": True, "limit": 100})
        async for one in listed.auto_paging_iter():
            if wanted.items() <= metadata_of_object(one).items():
                return one.id
    return None
