"""Which settings the gateway needs, and what has to be there before it is ready."""

from collections.abc import Iterable, Mapping
from typing import Final

from chassis.kafka.broker_check import BrokerArrival, TopicsUsed
from chassis.process import doctor
from chassis.process.doctor_command import failed_here, report, wait_until_ready
from chassis.process.health import Health
from chassis.process.kafka_settings import kafka
from chassis.process.startup import prepare_process
from webhook_gateway.settings import GatewaySettings
from webhook_gateway.webhook.webhook_secrets import Policy, SigningSecrets, signing_secrets

NAME: Final = "webhook-gateway"
USED: Final = TopicsUsed.of(NAME)
REMEDY: Final = "set STRIPE_WEBHOOK_SECRETS to the endpoint's signing secret, whsec_… in Stripe's Dashboard"
DROPPED: Final[Mapping[str, str]] = {
    "mode": "events of Stripe's other mode were answered with 200 and dropped: see STRIPE_LIVEMODE and the endpoint",
    "account": "events of another account were answered with 200 and dropped: see STRIPE_ACCOUNT_ID and the endpoint",
}
"""What the running process informs of, by its member of /readyz."""


def findings(settings: GatewaySettings, signing: SigningSecrets) -> Iterable[str]:
    """Find what keeps the gateway from starting, in a sentence each.

    Without a secret it starts, answers 403 to everything, and compares no event's mode with its own.
    """
    yield from kafka(settings)
    yield from doctor.traces(settings)
    if signing.secrets:
        yield from doctor.livemode(settings, settings.stripe_livemode)


def unusable_secrets(signing: SigningSecrets) -> Iterable[str]:
    """Find which of the signing secrets are none, and whether none is left: it would start, and refuse everything."""
    for refused in signing.refused:
        yield f"STRIPE_WEBHOOK_SECRETS: number {refused.position} is no secret, for {refused.rule}: {REMEDY}."
    if signing.policy is Policy.REFUSE_ALL and not signing.refused:
        yield f"STRIPE_WEBHOOK_SECRETS is not set, and every webhook is answered with 403: {REMEDY}."


async def examine(*, wait: float) -> int:
    """Say what is wrong, or not ready after `wait` seconds, and return the exit status.

    What a gateway that runs here has dropped is said beside that, and changes the status as little as its readiness.
    """
    settings = prepare_process(GatewaySettings, service=f"{NAME}-doctor")
    signing = signing_secrets(given=settings.given_secrets, protected=settings.protected)
    if status := report(NAME, [*unusable_secrets(signing), *findings(settings, signing)]):
        return status
    report(NAME, [DROPPED[name] for name in await failed_here(settings) if name in DROPPED])
    health = Health()
    BrokerArrival(settings, USED.all).watch(health)
    return await wait_until_ready(NAME, health, wait=wait)
