"""A recording is the same for the same behaviour, whatever ids and order a run had, and another one for another."""

from typing import Any

import pytest

from tests.recording.lines import Thing, lines, thing, usual_of
from tests.recording.names import Names, mentions, template, without

ONE, TWO = "6f1b0c9e-2d4a-4e57-9a83-5c0d7e1f2b46", "0a4be1c2-7d33-4a55-8e21-b9a1f0c4d7e8"
KINDS = {ONE: "purchase", TWO: "purchase"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"/v1/purchases/{ONE}", "/v1/purchases/<purchase-1>"),
        ("in_1NqGpQ2eZvKYlo2C8XzRtYbU paid", "<in-1> paid"),
        ("2026-11-30T14:06:54.991279Z", "<time>"),
        ("Nov 30, 2026, 2:08:24 PM UTC", "<time>"),
        ("http://127.0.0.1:20141/i/in_1NqGpQ2eZvKYlo2C8XzRtYbU", "http://<port>/i/<in-1>"),
        ("invoice.payment_succeeded", "invoice.payment_succeeded"),
        ("ws-4bda55990a1b, owner-4bda55990a1b@acme.test", "<ws-1>, <owner-1>@acme.test"),
        ("Setup 4bda5599 (setup-4bda5599)", "<Setup-1> (<slug-1>)"),
        ("49900", "49900"),
    ],
)
def test_what_differs_from_run_to_run_has_a_name(text: str, shown: str) -> None:
    assert Names(KINDS).named(text) == shown


def test_equal_ids_have_equal_names_and_others_have_others() -> None:
    assert Names(KINDS).named([ONE, TWO, ONE]) == ["<purchase-1>", "<purchase-2>", "<purchase-1>"]


def test_what_has_no_order_is_in_the_same_one_whatever_its_ids_are() -> None:
    rows = [{"id": ONE, "status": "paid"}, {"id": TWO, "status": "failed"}, {"of": ONE}]
    swapped = [{"of": TWO}, {"id": ONE, "status": "failed"}, {"id": TWO, "status": "paid"}]

    assert Names(KINDS).in_order(rows) == Names(KINDS).in_order(swapped)


def test_what_came_twice_is_there_once() -> None:
    assert Names(KINDS).in_order([{"id": ONE}, {"id": ONE}]) == [{"id": "<purchase-1>"}]


def test_a_path_has_places_for_its_ids() -> None:
    assert template(f"/v1/workspaces/ws-4bda55990a1b/purchases/{ONE}", Names(KINDS)) == (
        "/v1/workspaces/{ws}/purchases/{purchase}"
    )


def test_what_is_another_journeys_is_left_out_of_lists() -> None:
    assert mentions({"a": [ONE]}, frozenset({ONE}))
    assert without({"all": [{"id": ONE}, {"id": TWO}]}, frozenset({ONE})) == {"all": [{"id": TWO}]}


def purchase(number: int, **changes: Any) -> Thing:
    return thing("row", {"id": f"<purchase-{number}>", "of": f"<purchase-{number}>", "status": "paid"} | changes)


USUAL = usual_of([[purchase(1), purchase(1), purchase(1, status="failed")]])


def test_what_is_usual_takes_one_line_and_what_is_not_one_more() -> None:
    assert list(lines([purchase(1)], USUAL)) == ["row"]
    assert list(lines([purchase(1, status="failed")], USUAL)) == ["row", '    status = "failed"']


def test_a_second_one_differs_by_its_number_only() -> None:
    assert list(lines([purchase(2)], USUAL)) == ["row (purchase-1→2)"]
    assert list(lines([purchase(2, of="<purchase-1>")], USUAL)) != list(lines([purchase(2)], USUAL))


def test_a_field_more_and_a_field_less_are_seen() -> None:
    assert list(lines([purchase(1, more=None)], USUAL)) == ["row", "    more = null"]
    assert list(lines([thing("row", {"id": "<purchase-1>", "status": "paid"})], USUAL)) == ["row", "    without of"]


def test_a_list_of_objects_is_seen_object_by_object() -> None:
    listed = thing("answer", {"lines": [{"cents": 1}, {"cents": 2}]})

    assert list(lines([listed], {})) == [
        "answer",
        "    lines = (2)",
        "  lines[]",
        "      cents = 1",
        "  lines[]",
        "      cents = 2",
    ]
