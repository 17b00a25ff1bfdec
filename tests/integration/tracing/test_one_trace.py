"""One trace from a webhook to its mail: real services, Kafka, PostgreSQL, and a receiver of OTLP."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest

from sandbox.driver import Driver
from sandbox.stack import EmbeddedStack
from tests.stack.otlp import Receiver, Span, an_otlp_receiver

WEBHOOK: Final = "POST /billing/webhook"
LIBRARIES: Final = {
    "opentelemetry.instrumentation.aiokafka",
    "opentelemetry.instrumentation.asgi",
    "opentelemetry.instrumentation.asyncpg",
    "opentelemetry.instrumentation.fastapi",
    "opentelemetry.instrumentation.httpx",
    "quittance",
}
STEPS: Final = {
    ("webhook-gateway", WEBHOOK),
    ("webhook-gateway", "billing.stripe.events.v1 send"),
    ("purchases-worker", "billing.stripe.events.v1 receive"),
    ("purchases-worker", "apply fact"),
    ("purchases-worker", "billing.purchase.events.v1 send"),
    ("notifier", "billing.purchase.events.v1 receive"),
    ("notifier", "mail"),
}
PRIVATE: Final = re.compile(r"@[\w-]+\.test|sk_test|whsec_|eyJ|_secret_|4242|user.agent|peer.ip|\?\w+=")


@dataclass(frozen=True, kw_only=True)
class Traced:
    """The product with every trace sampled, and who receives them."""

    driver: Driver
    stack: EmbeddedStack
    receiver: Receiver

    async def until(self, arrived: Any) -> None:
        """Wait for spans."""
        await asyncio.to_thread(self.receiver.until, arrived)

    def of(self, trace: str) -> list[Span]:
        """Return the spans of one trace."""
        return [span for span in self.receiver.spans if span.trace == trace]


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with an_otlp_receiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
async def traced(receiver: Receiver, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Traced]:
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "OTEL_TRACES_SAMPLER_ARG": "1"}
    env |= {"OTEL_BSP_SCHEDULE_DELAY": "200"}
    directory = tmp_path_factory.mktemp("traced")
    async with EmbeddedStack(directory=directory, extra_env=env) as stack, Driver(stack.describe()) as driver:
        yield Traced(driver=driver, stack=stack, receiver=receiver)


async def a_sale_by_webhook(traced: Traced) -> dict[str, Any]:
    """Sell where only the webhook says that it was paid: the bank had wanted the buyer first."""
    shop = await traced.driver.given_a_workspace(card="pm_card_authenticationRequired")
    addon = await traced.driver.given_an_addon(price="499.00")
    answer = await traced.driver.buy(shop, addon)
    assert answer.status_code == 201, answer.text
    purchase: dict[str, Any] = answer.json()
    assert purchase["status"] == "pending"
    await traced.driver.answer_bank(purchase["action_url"])
    await traced.driver.settle()
    return purchase


async def test_a_webhook_and_the_mail_that_it_caused_are_one_trace(traced: Traced) -> None:
    purchase = await a_sale_by_webhook(traced)

    def of_the_sale() -> set[str]:
        mails = (span for span in traced.receiver.spans if span.name == "mail")
        about = {span.trace for span in mails if purchase["id"] in span.attributes["quittance.mail"]}
        return about & traced.receiver.traces(WEBHOOK)

    await traced.until(of_the_sale)
    (trace,) = of_the_sale()
    await traced.until(lambda: {(span.service, span.name) for span in traced.of(trace)} >= STEPS)
    spans = traced.of(trace)
    known = {span.id for span in spans}
    assert [span.name for span in spans if span.parent and span.parent not in known] == []
    assert [span.name for span in spans if not span.parent] == [WEBHOOK]


async def test_statements_are_seen_without_their_values(traced: Traced) -> None:
    await a_sale_by_webhook(traced)
    await traced.until(lambda: traced.receiver.traces("INSERT"))

    statements = [span for span in traced.receiver.spans if "db.statement" in span.attributes]
    assert any("$1" in span.attributes["db.statement"] for span in statements)
    assert [span.name for span in statements if not span.parent] == []


async def test_every_instrumentation_reports(traced: Traced) -> None:
    await a_sale_by_webhook(traced)

    await traced.until(lambda: {span.scope for span in traced.receiver.spans} >= LIBRARIES)


async def test_a_call_to_stripe_is_part_of_the_request_that_made_it(traced: Traced) -> None:
    await a_sale_by_webhook(traced)

    def calls() -> list[Span]:
        return [one for one in traced.receiver.spans if "/v1/invoices" in str(one.attributes.get("http.url"))]

    await traced.until(calls)
    requests = {span.trace for span in traced.receiver.spans if "/purchases" in str(span.attributes.get("http.route"))}
    assert requests & {call.trace for call in calls()}
    assert [call.attributes["http.url"] for call in calls() if "?" in call.attributes["http.url"]] == []


async def test_no_span_holds_what_is_private(traced: Traced) -> None:
    await a_sale_by_webhook(traced)
    await traced.until(lambda: traced.receiver.traces("mail"))

    assert [span.text for span in traced.receiver.spans if PRIVATE.search(span.text)] == []


async def test_a_line_of_the_log_leads_to_its_trace(traced: Traced) -> None:
    await a_sale_by_webhook(traced)

    lines = traced.stack.logs("purchases-api").splitlines()
    ids = {found[1] for line in lines if (found := re.search(r'"trace_id":"([0-9a-f]{32})"', line))}
    await traced.until(lambda: ids & {span.trace for span in traced.receiver.spans})


async def test_a_batch_that_joins_many_is_linked_to_each(traced: Traced) -> None:
    """What several webhooks brought while the worker was away is applied at once, and sent on at once."""
    shop = await traced.driver.given_a_workspace(card="pm_card_authenticationRequired")
    addons = [await traced.driver.given_an_addon(price="499.00") for _ in range(2)]
    purchases = [(await traced.driver.buy(shop, addon)).json() for addon in addons]
    await traced.driver.settle()
    before = traced.receiver.traces(WEBHOOK)
    await traced.stack.stop_process("purchases-worker")
    for purchase in purchases:
        await traced.driver.answer_bank(purchase["action_url"])
    await traced.until(lambda: len(traced.receiver.traces(WEBHOOK) - before) > 1)

    await traced.stack.start("purchases-worker")
    await traced.driver.settle()

    def linked(name: str) -> list[set[str]]:
        """It goes on in the first trace, and is linked to the others."""
        spans = (span for span in traced.receiver.spans if span.name == name and span.service == "purchases-worker")
        joined = [{span.trace, *span.links} for span in spans]
        return [traces for traces in joined if len(traces) > 1 and traces <= traced.receiver.traces(WEBHOOK)]

    await traced.until(lambda: linked("apply batch"))
    await traced.until(lambda: linked("relay"))
