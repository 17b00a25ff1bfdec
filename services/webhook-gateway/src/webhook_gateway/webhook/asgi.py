"""The hot path: one ASGI callable in front of FastAPI. Read, verify, take in, publish, answer; no framework between."""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

from starlette.types import ASGIApp, Receive, Scope, Send

from chassis.kafka.kafka import BrokerUnavailable
from chassis.process.logs import get_logger
from webhook_gateway.broker import RecordProducer, publish
from webhook_gateway.deadlines import Deadlines
from webhook_gateway.outcomes import NO_TYPE, Outcome
from webhook_gateway.stripe_events.intake import Intake, MalformedBody, NotAnEvent, Whose, take_in
from webhook_gateway.webhook.answers import ANSWERS
from webhook_gateway.webhook.metrics import WebhookMetrics
from webhook_gateway.webhook.refusal_log import RefusalLog
from webhook_gateway.webhook.request import BodyTooLarge, BodyTooSlow, SenderGone, read_body, read_head
from webhook_gateway.webhook.signature import SignatureRefused, verify
from webhook_gateway.webhook.webhook_secrets import Policy, SigningSecrets

log = get_logger(__name__)

PATHS: Final[Mapping[str, str]] = {
    "/billing/webhook": "receive_webhook",
    "/webhooks/stripe-billing": "receive_webhook_by_alias",
}
"""Where Stripe sends to, and what the operations are called. A slash behind it is no other place."""

REFUSALS: Final[Mapping[type[Exception], Outcome]] = {
    BodyTooLarge: Outcome.BODY_TOO_LARGE,
    BodyTooSlow: Outcome.BODY_TOO_SLOW,
    SenderGone: Outcome.SENDER_GONE,
    MalformedBody: Outcome.MALFORMED_JSON,
    NotAnEvent: Outcome.NOT_AN_EVENT,
}


class WebhookEndpoint:
    """Answers the webhook's two paths and hands everything else to `inner`.

    Where no secret is usable and the deployment is protected, every request is answered with 403, whatever its path.
    """

    def __init__(
        self,
        *,
        inner: ASGIApp,
        signing: SigningSecrets,
        livemode: bool,
        account_id: str | None,
        producer: RecordProducer,
        metrics: WebhookMetrics,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._inner = inner
        self._signing = signing
        self._livemode = livemode
        self._account_id = account_id
        self._producer = producer
        self._metrics = metrics
        self._clock = clock
        self._deadlines = Deadlines()
        self._refusals = RefusalLog()
        metrics.secret_missing = signing.policy is Policy.REFUSE_ALL
        metrics.secrets_refused = len(signing.refused)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI request."""
        if scope["type"] == "http" and self._signing.policy is Policy.REFUSE_ALL:
            await self._refuse(scope, receive, send)
        elif scope["type"] == "http" and scope["path"].removesuffix("/") in PATHS:
            await self._answer(scope, receive, send)
        else:
            await self._inner(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        with suppress(BodyTooLarge, BodyTooSlow, SenderGone):
            await read_body(declared=0, receive=receive, deadlines=self._deadlines)
        await self._finish(NO_TYPE, Outcome.NO_SECRET, scope, send, started=time.perf_counter())

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        try:
            event_type, outcome = await self._handle(scope, receive)
        except SignatureRefused as refusal:
            event_type, outcome = NO_TYPE, Outcome(f"signature-{refusal.reason}")
        except tuple(REFUSALS) as refusal:
            event_type, outcome = NO_TYPE, REFUSALS[type(refusal)]
        except Exception:
            log.exception("webhook_failed")
            event_type, outcome = NO_TYPE, Outcome.FAILED
        await self._finish(event_type, outcome, scope, send, started=started)

    async def _handle(self, scope: Scope, receive: Receive) -> tuple[str, Outcome]:
        if scope["method"] != "POST":
            return NO_TYPE, Outcome.METHOD_NOT_ALLOWED
        head = read_head(scope["headers"])
        body = await read_body(declared=head.length, receive=receive, deadlines=self._deadlines)
        now = self._clock()
        if self._signing.policy is Policy.ENFORCE:
            verify(body=body, header=head.signature, secrets=self._signing.secrets, now=now)
        intake = take_in(
            body=body,
            livemode=self._livemode,
            account_id=self._account_id,
            received_at=now,
            traceparent=head.traceparent,
        )
        return intake.event_type, await self._published(intake)

    async def _published(self, intake: Intake) -> Outcome:
        outcome = intake.outcome
        if intake.record is not None:
            try:
                await publish(intake.record, producer=self._producer, deadlines=self._deadlines)
            except BrokerUnavailable:
                outcome = Outcome.BROKER_UNAVAILABLE
        about: dict[str, Any] = {"event_type": intake.event_type, "event_id": intake.event_id}
        self._refusals.note(outcome, **about, account=intake.account)
        if intake.record is not None and intake.whose is Whose.UNCHECKED:
            self._refusals.note_unchecked(**about, account=intake.account)
        return outcome

    async def _finish(self, event_type: str, outcome: Outcome, scope: Scope, send: Send, *, started: float) -> None:
        if event_type is NO_TYPE:  # before the answer: who was refused finds it in the log
            self._refusals.note(outcome, event_type=event_type, scope=scope)
        if (answer := ANSWERS.get(outcome)) is not None:
            await send(answer.start)
            await send(answer.body)
        self._metrics.count(event_type=event_type, outcome=outcome, seconds=time.perf_counter() - started)
