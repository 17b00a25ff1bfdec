"""From the bytes of a body to the record: what is published, what is only counted, what is refused."""

import json
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from contracts import read, schemas, seal
from contracts.stripe_facts import StripeFact, UnrecognisedEvent
from contracts.topics import STRIPE_EVENTS
from tests.fixtures.expected_facts import model_of
from tests.fixtures.stripe_events import BASIL, FILES, LEGACY, event
from webhook_gateway.outcomes import Outcome
from webhook_gateway.stripe_events.intake import Intake, MalformedBody, NotAnEvent, take_in
from webhook_gateway.stripe_events.normalisers import NORMALISERS, normalise
from webhook_gateway.stripe_events.records import LONGEST_VALUE, Record, headers_of
from webhook_gateway.stripe_events.stripe_event import OutgoingFact
from webhook_gateway.webhook.request import Head, read_head

NOW = 1_772_620_204.5
ALL_FILES = sorted(file.name.removesuffix(".json") for file in FILES.glob("*.json"))


def taken(document: object, *, livemode: bool = False) -> Intake:
    return take_in(body=json.dumps(document).encode(), livemode=livemode, received_at=NOW)


def published(record: Record) -> StripeFact:
    """Return what a consumer reads: it fits the closed schema, and is what the model would write, no key less."""
    kind = dict(record.headers)["ce_type"].decode()
    fact = read(type=kind, value=record.value)
    assert isinstance(fact, StripeFact)
    assert json.loads(fact.model_dump_json()) == json.loads(record.value)
    validator_of(kind).validate(json.loads(record.value))
    return fact


@cache
def validator_of(kind: str) -> Draft202012Validator:
    return Draft202012Validator(
        json.loads((schemas.ROOT / "schemas" / f"{kind}.json").read_text()),
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    )


@pytest.mark.parametrize("name", ALL_FILES)
def test_the_record_is_what_the_contracts_say(name: str) -> None:
    """The hot path's own headers are those of the contracts' envelope, for every fact."""
    document = event(*name.rsplit(".", 1))
    fact = model_of(normalise(event=document, body=b"{}", received_at=NOW))

    record = taken(document).record

    assert record is not None
    assert seal(fact, occurred_at=fact.occurred_at).to_headers() == record.headers
    assert (STRIPE_EVENTS.name, fact.key.encode()) == (record.topic, record.key)
    assert fact == published(record)


def test_headers_hold_for_unusual_ids() -> None:
    fact = UnrecognisedEvent(
        stripe_event_id="evt_ü",
        stripe_event_type="invoice.paid",
        api_version=None,
        livemode=False,
        occurred_at=datetime(2026, 3, 4, 10, 30, 4, tzinfo=UTC),
        object_id="in_ü",
        reason="",
        body="",
    )

    outgoing = OutgoingFact(UnrecognisedEvent, {**fact.model_dump(), "occurred_at": "2026-03-04T10:30:04Z"})
    assert seal(fact, occurred_at=fact.occurred_at).to_headers() == headers_of(outgoing)


def test_a_replay_has_the_same_id() -> None:
    first, again = taken(event("invoice.paid", BASIL)), taken({**event("invoice.paid", BASIL), "pending_webhooks": 0})

    assert first.record is not None
    assert first.record == again.record


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({"type": "customer.created"}, Outcome.UNHANDLED),
        ({"type": "invoice.paid "}, Outcome.UNHANDLED),
        ({"livemode": True}, Outcome.WRONG_MODE),
        ({"livemode": True, "type": "customer.created"}, Outcome.WRONG_MODE),
        ({"id": "evt_00000000000000"}, Outcome.DASHBOARD_TEST),
        ({"object": "v2.core.event", "type": "v1.billing.meter.error_report_triggered"}, Outcome.THIN),
        ({"data": None, "related_object": {"id": "in_1", "type": "invoice"}}, Outcome.THIN),
    ],
)
def test_what_is_only_counted(change: dict[str, Any], outcome: Outcome) -> None:
    document = {**event("invoice.paid", BASIL), **change}

    intake = taken(document)

    assert (outcome, None) == (intake.outcome, intake.record)


@pytest.mark.parametrize("name", ALL_FILES)
def test_dashboard_tests_and_thin_events_of_every_type_are_only_counted(name: str) -> None:
    document = event(*name.rsplit(".", 1))
    thin = {**document, "object": "v2.core.event", "data": None, "related_object": {"id": "in_1", "type": "invoice"}}

    assert taken({**document, "id": "evt_00000000000000"})[2:4] == (Outcome.DASHBOARD_TEST, None)
    assert taken(thin)[2:4] == (Outcome.THIN, None)


SAYS_ENOUGH = {"customer.deleted"}
"""Types whose fact needs no more of the object than its id."""


@pytest.mark.parametrize("kind", NORMALISERS)
@pytest.mark.parametrize("thing", [{}, {"id": "x_1"}, {"id": "x_1", "deleted": True, "object": "invoice"}])
def test_an_empty_object_of_any_type_is_published_raw_or_as_what_it_has(kind: str, thing: dict[str, Any]) -> None:
    document = {**event("invoice.paid", BASIL), "type": kind, "data": {"object": thing}}

    intake = taken(document)

    assert intake.record is not None
    published(intake.record)
    assert (intake.outcome is Outcome.UNRECOGNISED) == (kind not in SAYS_ENOUGH or not thing)


TRACE = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.mark.parametrize("traceparent", [None, TRACE])
def test_the_requests_trace_goes_on_in_the_record(traceparent: bytes | None) -> None:
    body = json.dumps(event("invoice.paid", BASIL)).encode()

    record = take_in(body=body, livemode=False, received_at=NOW, traceparent=traceparent).record

    assert record is not None
    fact = published(record)
    text = traceparent.decode() if traceparent else None
    assert seal(fact, occurred_at=fact.occurred_at, traceparent=text).to_headers() == record.headers


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], None),
        ([(b"traceparent", TRACE)], TRACE),
        ([(b"traceparent", TRACE), (b"traceparent", TRACE)], None),
        ([(b"traceparent", TRACE.upper())], None),
        ([(b"traceparent", TRACE + b"-x")], None),
        ([(b"traceparent", b"ff" + TRACE[2:])], None),
        ([(b"traceparent", b"00-" + b"0" * 32 + TRACE[35:])], None),
        ([(b"traceparent", TRACE[:36] + b"0" * 16 + b"-01")], None),
        ([(b"traceparent", TRACE + b"\n")], None),
        ([(b"traceparent", b"")], None),
    ],
)
def test_only_a_well_formed_trace_is_carried(headers: list[tuple[bytes, bytes]], expected: bytes | None) -> None:
    assert Head(traceparent=expected) == read_head(headers)


@pytest.mark.parametrize("change", [{"livemode": True}, {"type": "customer.created"}, {"data": None}])
def test_an_event_of_another_account_ends_as_such_whatever_else_it_is(change: dict[str, Any]) -> None:
    document = {**event("invoice.paid", BASIL), "account": "acct_2", **change}

    intake = take_in(body=json.dumps(document).encode(), livemode=False, account_id="acct_1", received_at=NOW)

    assert (intake.outcome, intake.record, intake.account) == (Outcome.OTHER_ACCOUNT, None, "acct_2")


def test_a_live_deployment_takes_live_events_only() -> None:
    document = event("invoice.paid", BASIL)

    assert taken(document, livemode=True).outcome is Outcome.WRONG_MODE
    assert taken({**document, "livemode": True}, livemode=True).outcome is Outcome.PUBLISHED


@pytest.mark.parametrize(
    "body", [b"", b"{", b"nope", b"\xff\xfe", b'{"a": NaN}', b'"\\ud800"', b"[" * 100_000, b'{"object":"event"}}']
)
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedBody):
        take_in(body=body, livemode=False, received_at=NOW)


@pytest.mark.parametrize(
    "document",
    [
        None,
        7,
        "event",
        [],
        {},
        {"object": "invoice", "id": "in_1", "type": "x"},
        {"object": "event", "type": "invoice.paid"},
        {"object": "event", "id": "", "type": "invoice.paid"},
        {"object": "event", "id": "evt_1"},
        {"object": "event", "id": "evt_1", "type": 5},
        {"object": "event", "id": "e" * 256, "type": "invoice.paid"},
        {"object": "event", "id": "evt\n1", "type": "invoice.paid"},
        {"object": "event", "id": "evt_ü", "type": "invoice.paid"},
        {"object": ["event"], "id": "evt_1", "type": "invoice.paid"},
    ],
)
def test_what_is_no_event_is_refused(document: object) -> None:
    with pytest.raises(NotAnEvent):
        taken(document)


@pytest.mark.parametrize(
    "change",
    [
        {"data": None},
        {"data": {}},
        {"data": {"object": None}},
        {"data": {"object": "in_1"}},
        {"data": {"object": {}}},
        {"created": None},
        {"created": 10**30},
        {"created": "yesterday"},
        {"livemode": None},
        {"api_version": 7},
    ],
)
def test_a_broken_envelope_of_a_handled_type_is_published_raw(change: dict[str, Any]) -> None:
    intake = taken({**event("invoice.paid", BASIL), **change})

    assert intake.outcome is Outcome.UNRECOGNISED
    assert intake.record is not None


def test_no_record_is_larger_than_kafka_takes() -> None:
    """A body at the limit may double when it is escaped inside JSON."""
    document = event("invoice.paid", BASIL)
    broken = {**document, "data": {"object": {"note": '"' * 250_000}}}
    inflated = event("invoice.paid", BASIL)
    inflated["data"]["object"]["metadata"]["purchase_id"] = '"' * 250_000
    inflated["data"]["object"]["hosted_invoice_url"] = '\\"' * 60_000
    inflated["data"]["object"]["metadata"]["workspace_id"] = "\u20ac" * 100_000

    for large in (broken, inflated):
        intake = taken(large)
        assert intake.record is not None
        assert len(intake.record.value) <= LONGEST_VALUE


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def damaged_events(draw: st.DrawFn) -> dict[str, Any]:
    """Return a real event in which some values, at any depth, are replaced or gone."""
    document = event(*draw(st.sampled_from(ALL_FILES)).rsplit(".", 1))
    for _ in range(draw(st.integers(1, 4))):
        here: Any = document
        while isinstance(here, dict | list) and here:
            keys = sorted(here) if isinstance(here, dict) else range(len(here))
            key = draw(st.sampled_from(list(keys)))
            if not isinstance(here[key], dict | list) or not here[key] or draw(st.booleans()):
                here[key] = draw(JSON)
                break
            here = here[key]
    return document


@given(document=damaged_events(), livemode=st.booleans())
def test_a_damaged_event_is_never_an_error(document: dict[str, Any], livemode: bool) -> None:
    try:
        intake = taken(document, livemode=livemode)
    except (NotAnEvent, MalformedBody):  # a lone surrogate is no JSON to us
        return
    if intake.record is not None:
        fact = published(intake.record)
        assert (intake.outcome is Outcome.UNRECOGNISED) == isinstance(fact, UnrecognisedEvent)


def test_legacy_and_basil_renderings_of_one_event_have_one_id() -> None:
    old, new = taken(event("invoice.paid", LEGACY)).record, taken(event("invoice.paid", BASIL)).record

    assert old is not None
    assert new is not None
    assert old.headers == new.headers
