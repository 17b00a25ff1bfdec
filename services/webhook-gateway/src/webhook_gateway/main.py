"""Reads the settings, builds the gateway and runs it; the only place that does either."""

from functools import partial
from typing import cast

from fastapi import FastAPI
from prometheus_client import REGISTRY
from starlette.types import ASGIApp

from chassis.kafka.broker_check import broker_is_reachable
from chassis.kafka.kafka import connection
from chassis.process.health import Health, NotReady
from chassis.process.logs import get_logger
from chassis.process.process import run_process
from chassis.process.startup import prepare_process, refuse_unless_sound
from chassis.tracing import spans
from chassis.web.server import HttpServer, ops_server
from chassis.web.web import web_app
from contracts.topics import STRIPE_EVENTS
from webhook_gateway.api import router
from webhook_gateway.broker import BrokerConnection, RecordProducer, connect_with
from webhook_gateway.doctor import NAME, REMEDY, findings
from webhook_gateway.settings import GatewaySettings
from webhook_gateway.webhook.asgi import PATHS, WebhookEndpoint
from webhook_gateway.webhook.metrics import WebhookMetrics
from webhook_gateway.webhook.openapi import add_webhook
from webhook_gateway.webhook.webhook_secrets import Policy, SigningSecrets, signing_secrets

log = get_logger(__name__)


async def main() -> None:
    """Run until SIGTERM or SIGINT."""
    settings = prepare_process(GatewaySettings, service=NAME)
    signing = signing_secrets(given=settings.given_secrets, protected=settings.protected)
    announce(signing)
    refuse_unless_sound(list(findings(settings, signing)))
    metrics = WebhookMetrics()
    REGISTRY.register(metrics)
    health = Health()
    broker = BrokerConnection(connect_with(connection(settings), topic=STRIPE_EVENTS.name), health=health)
    app = gateway_app(settings=settings, signing=signing, producer=broker, metrics=metrics)
    watch(health, settings=settings, signing=signing, broker=broker, metrics=metrics)
    await run_process(
        HttpServer(app, settings.http_host, settings.http_port, protected=settings.protected),
        foundations=(broker, ops_server(health, settings)),
        health=health,
    )


def gateway_app(
    *, settings: GatewaySettings, signing: SigningSecrets, producer: RecordProducer, metrics: WebhookMetrics
) -> ASGIApp:
    """Build the public port: the hot path in front of FastAPI."""
    endpoint = WebhookEndpoint(
        inner=public_app(settings),
        signing=signing,
        livemode=bool(settings.stripe_livemode),
        account_id=settings.stripe_account_id,
        producer=producer,
        metrics=metrics,
    )
    return cast("ASGIApp", spans.served(endpoint, paths=PATHS))


def public_app(settings: GatewaySettings) -> FastAPI:
    """Build what is behind the hot path: a word about the service, and its documentation."""
    app = web_app("Quittance webhook gateway", settings, None)
    app.include_router(router)
    add_webhook(app)
    return app


def watch(
    health: Health,
    *,
    settings: GatewaySettings,
    signing: SigningSecrets,
    broker: BrokerConnection,
    metrics: WebhookMetrics,
) -> None:
    """Make it ready while the producer knows its topic, a broker can be reached, and a secret proves webhooks.

    Without a secret it answers 403 to everything: a rollout that lost it must not take the place of what works.
    """

    async def topics() -> None:
        if not broker.connected:
            raise NotReady(f"no producer has met {STRIPE_EVENTS.name} yet")

    async def secrets() -> None:
        if signing.policy is Policy.REFUSE_ALL:
            raise NotReady(f"every webhook is answered with 403: {REMEDY}")

    async def mode() -> bool:
        return metrics.wrong_mode == 0

    async def account() -> bool:
        return metrics.other_account == 0

    health.check("secrets", secrets)
    health.check("broker", partial(broker_is_reachable, settings.kafka_bootstrap_servers))
    health.check("topics", topics)
    health.inform("mode", mode)
    health.inform("account", account)


def announce(signing: SigningSecrets) -> None:
    """Say loudly what will happen to signatures; never a secret."""
    counts = {"usable": len(signing.secrets), "refused": len(signing.refused)}
    for refused in signing.refused:
        log.error("webhook_secret_refused", number=refused.position, rule=refused.rule, remedy=REMEDY)
    if signing.policy is Policy.REFUSE_ALL:
        log.critical(
            "no_usable_webhook_secret",
            effect="EVERY webhook is answered with 403 and nothing is accepted",
            remedy=REMEDY,
            **counts,
        )
    elif signing.policy is Policy.ACCEPT_UNSIGNED:
        log.warning("unsigned_webhooks_accepted", reason="APP_ENV is local or testing and there is no secret")
    else:
        log.info("webhook_signatures_enforced", **counts)
