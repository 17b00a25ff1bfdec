"""Kafka that knows its clients: by certificates (mTLS), or by user and password over TLS; one broker, two listeners."""

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import pytest

import catalog.main
from contracts.topics import ALL_TOPICS
from sandbox import places
from sandbox.kafka import ApacheKafka
from sandbox.ports import free_port
from sandbox.stripe.signing import signature_header
from sandbox.topics import create_topics
from tests.integration.starting.commands import run, serving
from tests.stack.authority import Authority
from tests.stack.postgres import NewDatabase, Template

PASSWORD: Final = uuid.uuid4().hex
MORE: Final = """\
listeners=PLAINTEXT://{{host}}:{{port}},CONTROLLER://{{host}}:{{controller}},SSL://{{host}}:{ssl},SASL_SSL://{{host}}:{sasl}
advertised.listeners=PLAINTEXT://{{host}}:{{port}},SSL://{{host}}:{ssl},SASL_SSL://{{host}}:{sasl}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
ssl.truststore.type=PEM
ssl.truststore.location={truststore}
listener.name.ssl.ssl.client.auth=required
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
"""


@dataclass(frozen=True)
class Secured:
    """A broker with two listeners that a client has to prove itself to."""

    ours: Authority
    by_certificate: str
    by_password: str

    def certified(self, certificate: Path, key: Path, *, password: str = "") -> dict[str, str]:
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self.by_certificate,
            "KAFKA_SECURITY_PROTOCOL": "SSL",
            "KAFKA_SECURITY_CAFILE": str(self.ours.cafile),
            "KAFKA_SECURITY_CERTFILE": str(certificate),
            "KAFKA_SECURITY_KEYFILE": str(key),
            "KAFKA_SECURITY_KEYFILE_PASSWORD": password,
        }

    def signed_in(self, password: str = PASSWORD) -> dict[str, str]:
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self.by_password,
            "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "KAFKA_SECURITY_MECHANISM": "SCRAM-SHA-512",
            "KAFKA_SECURITY_USERNAME": "service",
            "KAFKA_SECURITY_PASSWORD": password,
            "KAFKA_SECURITY_CAFILE": str(self.ours.cafile),
        }


@pytest.fixture(scope="module")
async def secured(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Secured]:
    """Apache's Kafka, whatever BROKER says: the stand-in has no TLS."""
    directory = tmp_path_factory.mktemp("secured")
    ours = Authority(directory)
    ssl, sasl = free_port(), free_port()
    more = MORE.format(ssl=ssl, sasl=sasl, keystore=ours.for_a_broker(), truststore=ours.cafile)
    broker = ApacheKafka(
        directory=directory / "kafka",
        cache=places.maven_cache(),
        log=directory / "kafka.log",
        more=more,
        formatting=("--add-scram", f"SCRAM-SHA-512=[name=service,password={PASSWORD}]"),
    )
    await broker.start()
    try:
        await create_topics(broker.bootstrap, ALL_TOPICS)
        yield Secured(ours, f"127.0.0.1:{ssl}", f"127.0.0.1:{sasl}")
    finally:
        await broker.stop()


@pytest.fixture(params=["certificate", "certificate whose key has a password", "password"])
def accepted(request: pytest.FixtureRequest, secured: Secured) -> dict[str, str]:
    """Settings that the broker takes."""
    if request.param == "password":
        return secured.signed_in()
    password = PASSWORD if "key" in request.param else ""
    return secured.certified(*secured.ours.signed("service", password=password.encode()), password=password)


GATEWAY: Final = {
    "APP_ENV": "production",
    "STRIPE_LIVEMODE": "false",
    "STRIPE_WEBHOOK_SECRETS": f"whsec_{uuid.uuid4().hex}",
}
CATALOG: Final = {
    "APP_ENV": "testing",
    "JWT_ISSUER": "https://issuer.example",
    "JWT_AUDIENCE": "quittance",
    "JWKS_URL": "http://127.0.0.1:9/jwks.json",
}


async def test_the_gateway_hands_over_a_webhook(accepted: dict[str, str]) -> None:
    port = free_port()
    async with serving("webhook_gateway", given_settings=GATEWAY | accepted, http_port=port) as operator:
        await until(operator, "/readyz", '"status":"ok"')
        event = {"id": "evt_1", "object": "event", "type": "invoice.paid", "livemode": False, "created": 1}
        body = json.dumps(event | {"data": {"object": {"id": "in_1", "object": "invoice"}}}).encode()
        signed = signature_header(body=body, secrets=[GATEWAY["STRIPE_WEBHOOK_SECRETS"]], timestamp=int(time.time()))
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as stripe:
            answer = await stripe.post("/billing/webhook", content=body, headers={"Stripe-Signature": signed})

    assert answer.status_code == 200, answer.text


async def test_a_service_reads_relays_and_sees_its_topics(
    accepted: dict[str, str], database_url: NewDatabase, template: Template
) -> None:
    """Its consumer, the reader of ended sessions, the relay's producer and the look for topics each connect."""
    url = await database_url(like=await template(catalog.main.MIGRATIONS))
    async with serving("catalog", "serve", given_settings={**CATALOG, **accepted, "DATABASE_URL": url}) as operator:
        await until(operator, "/readyz", '"status":"ok"')
        await until(operator, "/metrics", "billing_relay_leads 1.0")
        await until(operator, "/metrics", 'billing_consumer_lag_records{group="catalog"')


async def until(operator: httpx.AsyncClient, path: str, said: str) -> None:
    async with asyncio.timeout(60):
        while said not in (answer := await operator.get(path)).text.replace('": "', '":"'):
            assert answer is not None
            await asyncio.sleep(0.1)


async def test_who_cannot_prove_itself_is_never_ready(secured: Secured, tmp_path: Path) -> None:
    elsewhere = Authority(tmp_path, "elsewhere")
    strange = secured.certified(*elsewhere.signed("service"))
    without = {name: value for name, value in strange.items() if "CERTFILE" not in name and "KEYFILE" not in name}
    distrusting = secured.certified(*secured.ours.signed("service")) | {"KAFKA_SECURITY_CAFILE": str(elsewhere.cafile)}
    for settings in (strange, without, secured.signed_in("another password"), distrusting):
        ended = await run("webhook_gateway", "doctor", "--wait", "3", given_settings=GATEWAY | settings)

        assert (ended.status, "webhook-gateway: not ready: topics" in ended.output) == (3, True), ended.output
        assert PASSWORD not in ended.output


async def test_a_certificate_that_is_over_or_no_file_ends_the_process_with_a_word(secured: Secured) -> None:
    over = secured.certified(*secured.ours.signed("over", days_ago=3))
    missing = secured.certified(Path("/nowhere/user.crt"), Path("/nowhere/user.key"))
    for settings, named in ((over, "KAFKA_SECURITY_CERTFILE expired at"), (missing, "KAFKA_SECURITY_CERTFILE cannot")):
        for words in ((), ("doctor",)):
            ended = await run("webhook_gateway", *words, given_settings=GATEWAY | settings)

            assert (ended.status, named in ended.output, "Traceback" in ended.output) == (1, True, False), ended.output
