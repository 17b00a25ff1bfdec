"""A reason is one line of whatever people write or paste; it is kept and shown as it came."""

import json
import uuid

import httpx
import pytest

from tests.integration.purchases.harness import Harness

PASTED = {
    "no-break spaces": "nicht\N{NO-BREAK SPACE}mehr nötig, 499\N{NARROW NO-BREAK SPACE}€",
    "joined emoji": "thanks \N{MAN}\N{ZERO WIDTH JOINER}\N{PERSONAL COMPUTER}",
    "a soft hyphen": "Doppel\N{SOFT HYPHEN}bestellung",
    "right to left": "הוזמן בטעות\N{RIGHT-TO-LEFT MARK} (x)",
}
NO_LINE = {
    "a line end": "one\r\nBcc: two",
    "another line end": "one\x0btwo",
    "next line": "one\x85two",
    "a line separator": "one\N{LINE SEPARATOR}two",
    "a paragraph separator": "one\N{PARAGRAPH SEPARATOR}two",
    "a tab": "one\ttwo",
    "NUL": "one\x00two",
    "an escape": "one\x1b[31mtwo",
    "half a character": "one\ud800two",
}


@pytest.mark.parametrize("reason", PASTED.values(), ids=PASTED)
async def test_what_is_pasted_from_a_document_is_taken_as_it_is(
    harness: Harness, staff: httpx.AsyncClient, reason: str
) -> None:
    purchase = await harness.given_a_purchase()
    path = f"/v1/admin/purchases/{purchase.id}"

    answer = await staff.post(f"{path}/deliver", json={"reason": f" {reason}\n"})

    assert answer.status_code == 200, answer.text
    assert (await staff.get(path)).json()["history"][-1]["reason"] == reason
    assert (await harness.published())[-1]["reason"] == reason


@pytest.mark.parametrize("reason", NO_LINE.values(), ids=NO_LINE)
async def test_what_ends_the_line_or_is_no_text_is_refused(staff: httpx.AsyncClient, reason: str) -> None:
    nobodys = f"/v1/admin/purchases/{uuid.uuid4()}/deliver"

    answer = await staff.post(
        nobodys, content=json.dumps({"reason": reason}), headers={"Content-Type": "application/json"}
    )

    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (422, "invalid-request")
