"""Our envelope is CloudEvents' binary mode, byte for byte what the SDK writes, and its ids are stable."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final
from uuid import UUID

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka_event, to_binary_event
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from contracts import FACTS, Envelope, Fact, MalformedEnvelope, UnknownFact, read, schemas, seal
from contracts.fact import NAMESPACE
from tests.rounds import rounds

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
MOMENT = datetime(2026, 3, 4, 10, 30, 3, 412000, tzinfo=UTC)
ANY: Final[dict[str, Any]] = {"id": UUID(int=5), "type": "t", "source": "/s", "subject": "x", "time": MOMENT}
Sent = list[tuple[str, bytes]]
GIVEN_BY: Final[Mapping[str, Callable[[Sent], Any]]] = {
    "faststream": lambda sent: {name: value.decode() for name, value in sent},
    "aiokafka": tuple,
    "confluent-kafka": lambda sent: [*sent, ("theirs", None)],
    "confluent-kafka, text": lambda sent: [(name, value.decode()) for name, value in sent],
    "an iterator": iter,
}
each_fact = pytest.mark.parametrize("fact", FACTS.values(), ids=list(FACTS))


def example(fact: type[Fact]) -> Fact:
    return fact.model_validate_json((schemas.ROOT / "examples" / f"{fact.TYPE}.json").read_bytes())


def sealed(fact: type[Fact]) -> Envelope:
    return seal(example(fact), occurred_at=MOMENT)


@each_fact
def test_the_headers_are_those_that_the_sdk_writes(fact: type[Fact]) -> None:
    envelope = sealed(fact)
    attributes = {
        "specversion": "1.0",
        "id": str(envelope.id),
        "type": envelope.type,
        "source": envelope.source,
        "subject": envelope.subject,
        "time": envelope.time,
        "datacontenttype": "application/json",
    }

    by_the_sdk = to_binary_event(CloudEvent(attributes=attributes, data={}))

    assert by_the_sdk.headers == dict(envelope.to_headers())


@each_fact
def test_the_sdk_reads_our_record(fact: type[Fact]) -> None:
    envelope, body = sealed(fact), example(fact).model_dump_json().encode()

    event = from_kafka_event(KafkaMessage(headers=dict(envelope.to_headers()), key=None, value=body))

    assert str(envelope.id) == event.get_id()
    assert event.get_type() == fact.TYPE
    assert envelope.source == event.get_source()
    assert envelope.subject == event.get_subject()
    assert event.get_time() == MOMENT
    assert event.get_data() == json.loads(body)


@each_fact
def test_we_read_the_sdks_record(fact: type[Fact]) -> None:
    envelope = sealed(fact)
    event = CloudEvent(
        attributes={
            "specversion": "1.0",
            "id": str(envelope.id),
            "type": fact.TYPE,
            "source": envelope.source,
            "subject": envelope.subject,
            "time": MOMENT,
            "datacontenttype": "application/json",
        },
        data=example(fact).model_dump(mode="json"),
    )

    record = to_binary_event(event)

    assert envelope == Envelope.from_headers(record.headers.items())
    assert example(fact) == read(type=fact.TYPE, value=record.value)


@each_fact
def test_an_envelope_survives_its_headers(fact: type[Fact]) -> None:
    envelope = seal(example(fact), occurred_at=MOMENT, traceparent=TRACEPARENT)

    assert envelope == Envelope.from_headers(envelope.to_headers())


@each_fact
def test_the_id_is_a_uuid5_that_every_publication_repeats(fact: type[Fact]) -> None:
    first, again = example(fact).id, example(fact).id

    assert first == again
    assert first.version == 5


def test_an_id_never_changes_between_versions_of_the_code() -> None:
    """Written down: another namespace or another identity would double every fact of a restored backup."""
    assert UUID("b1f0c7a2-5f0e-5c1d-9b53-6b1f2a9d4e10") == NAMESPACE
    assert UUID("bedfb684-d883-5cd6-ae7d-179da3db3634") == example(FACTS["billing.purchase.paid.v1"]).id
    assert UUID("ef3d19fa-3d9f-5583-899c-34a86a09e86c") == example(FACTS["billing.addon.state.v1"]).id
    assert UUID("3c43b3e7-d671-558e-869e-300f3e862f41") == example(FACTS["billing.addon.price.v1"]).id
    assert UUID("81100bcc-2b1f-5a30-9313-e543022cc2a2") == example(FACTS["billing.plan.state.v1"]).id
    assert UUID("dcc4c08e-aa85-5bd1-8042-78d79b14d5ac") == example(FACTS["billing.stripe.invoice_paid.v1"]).id


def test_two_types_of_one_purchase_and_sequence_have_two_ids() -> None:
    assert len({example(FACTS[name]).id for name in ("billing.purchase.paid.v1", "billing.purchase.failed.v1")}) == 2


def test_the_next_change_of_an_addon_has_another_id() -> None:
    state = example(FACTS["billing.addon.state.v1"])

    assert state.id != state.model_copy(update={"sequence": 99}).id


def test_the_time_is_sent_in_utc() -> None:
    paris = MOMENT.astimezone(timezone(timedelta(hours=1)))

    headers = dict(seal(example(FACTS["billing.purchase.paid.v1"]), occurred_at=paris).to_headers())

    assert headers["ce_time"] == b"2026-03-04T10:30:03.412000Z"


@pytest.mark.parametrize("name", ["ce_id", "ce_type", "ce_source", "ce_subject", "ce_time"])
@pytest.mark.parametrize("value", [None, b"\xff\xfe"], ids=["null", "not UTF-8"])
def test_a_broken_header_is_named_and_nothing_worse(name: str, value: bytes | None) -> None:
    headers: dict[str, bytes | None] = {**dict(sealed(FACTS["billing.purchase.paid.v1"]).to_headers()), name: value}

    with pytest.raises(MalformedEnvelope):
        Envelope.from_headers(headers.items())


@each_fact
@pytest.mark.parametrize("as_given", GIVEN_BY.values(), ids=GIVEN_BY)
def test_the_headers_are_read_as_each_client_gives_them(fact: type[Fact], as_given: Callable[[Sent], Any]) -> None:
    envelope = seal(example(fact), occurred_at=MOMENT, traceparent=TRACEPARENT)

    assert envelope == Envelope.from_headers(as_given(envelope.to_headers()))


@pytest.mark.parametrize("traceparent", [b"\xff", b"", None, "nonsense", TRACEPARENT.upper(), 7])
def test_a_broken_trace_costs_the_trace_and_not_the_fact(traceparent: Any) -> None:
    sent = sealed(FACTS["billing.purchase.paid.v1"]).to_headers()

    assert Envelope.from_headers([*sent, ("traceparent", traceparent)]).traceparent is None


def test_a_time_without_a_zone_is_no_time() -> None:
    sent = [*sealed(FACTS["billing.purchase.paid.v1"]).to_headers(), ("ce_time", b"2026-03-04T10:30:03")]

    with pytest.raises(MalformedEnvelope, match="ce_time"):
        Envelope.from_headers(sent)


def test_without_headers_the_first_missing_one_is_named() -> None:
    with pytest.raises(MalformedEnvelope, match="ce_id"):
        Envelope.from_headers(None)


values = st.one_of(
    st.none(), st.binary(), st.text(st.characters()), st.integers(), st.lists(st.binary()), st.datetimes()
)
SENT: Final = dict(Envelope(**ANY).to_headers())
names = st.sampled_from(list(SENT))
moments = st.from_regex(r"\A[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9][+-][0-2][0-9]:[0-5][0-9]\Z")
some_headers = st.one_of(
    st.dictionaries(names | st.text() | st.binary() | st.integers(), values),
    st.lists(st.tuples(names | st.text(), values)),
    st.lists(st.lists(values)),
    values,
    st.fixed_dictionaries({name: st.just(value) | values for name, value in SENT.items()}),
    st.builds(lambda time: SENT | {"ce_time": time}, moments | st.text()),
)


@given(headers=some_headers)
@settings(max_examples=rounds(100, every=500))
def test_whatever_the_headers_are_it_is_an_envelope_or_malformed(headers: Any) -> None:
    """And an envelope that was read can be sent on."""
    try:
        envelope = Envelope.from_headers(headers)
    except MalformedEnvelope:
        return
    assert envelope == Envelope.from_headers(envelope.to_headers())


@given(value=st.none() | st.binary() | st.text())
@each_fact
def test_whatever_the_body_is_it_is_a_fact_or_invalid(fact: type[Fact], value: Any) -> None:
    with pytest.raises(ValidationError):
        read(type=fact.TYPE, value=value)


def test_a_type_of_a_later_version_is_unknown_and_can_be_passed_over() -> None:
    with pytest.raises(UnknownFact, match=r"billing\.purchase\.paid\.v2"):
        read(type="billing.purchase.paid.v2", value=b"{}")
