"""Every answer and every event of the sandbox is as Stripe's published OpenAPI description says."""

from tests.conformance.conftest import Record
from tests.conformance.openapi import complaint_about_answer, complaint_about_object


def test_every_answer_is_as_described(record: Record) -> None:
    wrong = {
        f"{said}: {complaint}"
        for said in record.all
        if (
            complaint := complaint_about_answer(
                method=said.method, path=said.path, status=said.status, answer=said.answer
            )
        )
    }

    assert "\n".join(sorted(wrong)) == ""


def test_every_event_is_as_described(record: Record) -> None:
    wrong = {
        f"{event['type']}: {complaint}"
        for event in record.events
        for thing in (event, event["data"]["object"])
        if (complaint := complaint_about_object(thing))
    }

    assert "\n".join(sorted(wrong)) == ""


def test_nothing_failed_that_should_not(record: Record) -> None:
    """A refusal is an answer too; a fault of the sandbox is not."""
    assert [str(said) for said in record.all if said.status >= 500] == []
    assert [str(said) for said in record.product if said.status not in (200, 402)] == []
