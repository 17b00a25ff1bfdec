"""From the bytes of a body to the record: what is published, what is only counted, what is refused."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import read, seal
from contracts.stripe_facts import StripeFact, UnrecognisedEvent
from contracts.topics import STRIPE_EVENTS
from tests.fixtures.stripe_events import BASIL, FILES, LEGACY, event
from webhook_gateway.headers import headers_of
from webhook_gateway.intake import Intake, MalformedBody, NotAnEvent, take_in
from webhook_gateway.normalisers import normalise
from webhook_gateway.outcomes import Outcome
from webhook_gateway.records import LONGEST_VALUE

NOW = datetime(2026, 3, 4, 10, 30, 4, tzinfo=UTC)
ALL_FILES = sorted(file.name.removesuffix(".json") for file in FILES.glob("*.json"))


def taken(document: object, *, livemode: bool = False) -> Intake:
    return take_in(body=json.dumps(document).encode(), livemode=livemode, received_at=NOW)


@pytest.mark.parametrize("name", ALL_FILES)
def test_the_record_is_what_the_contracts_say(name: str) -> None:
    """The hot path's own headers are those of the contracts' envelope, for every fact."""
    document = event(*name.rsplit(".", 1))
    fact = normalise(event=document, body=b"{}", received_at=NOW)

    record = taken(document).record

    assert record is not None
    assert seal(fact, occurred_at=fact.occurred_at).to_headers() == record.headers
    assert (STRIPE_EVENTS.name, fact.key.encode()) == (record.topic, record.key)
    assert fact == read(type=fact.TYPE, value=record.value)


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

    assert seal(fact, occurred_at=fact.occurred_at).to_headers() == headers_of(fact)


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
    ],
)
def test_what_is_only_counted(change: dict[str, Any], outcome: Outcome) -> None:
    document = {**event("invoice.paid", BASIL), **change}

    intake = taken(document)

    assert (outcome, None) == (intake.outcome, intake.record)


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
    """A real event in which some values, at any depth, are replaced or gone."""
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
        fact = read(type=dict(intake.record.headers)["ce_type"].decode(), value=intake.record.value)
        assert isinstance(fact, StripeFact)
        assert (intake.outcome is Outcome.UNRECOGNISED) == isinstance(fact, UnrecognisedEvent)


def test_legacy_and_basil_renderings_of_one_event_have_one_id() -> None:
    old, new = taken(event("invoice.paid", LEGACY)).record, taken(event("invoice.paid", BASIL)).record

    assert old is not None
    assert new is not None
    assert old.headers == new.headers
