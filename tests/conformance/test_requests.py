"""What the product sends, Stripe takes: stripe-mock, which refuses what is not described, accepts every request."""

import json
import os
from pathlib import Path
from typing import Final

import httpx

from sandbox.stripe.requests_file import VARIABLE
from sandbox.stripe.versions import CURRENT
from tests.conformance.conftest import Record
from tests.conformance.go_module import description
from tests.conformance.recorder import Exchange


def kept() -> list[Exchange]:
    """What is in the file of requests, if the environment names one."""
    file = Path(os.environ.get(VARIABLE, os.devnull))
    lines = file.read_text().splitlines() if file.exists() else []
    return [Exchange(**json.loads(line), status=200, answer=None) for line in lines]


RENAMED_SINCE: Final = {"allowed_payment_method_types": "payment_method_types"}
"""Parameters of Checkout that 2026-09-30.endive took the place of: its new name → the description's."""


async def refusal_of(mock: httpx.AsyncClient, said: Exchange) -> str | None:
    """What stripe-mock has against a request; its objects are canned, so no id is unknown.

    What is newer than the description stands for the description's own.
    """
    body = said.body.replace(f"api_version={CURRENT}", f"api_version={description()['info']['version']}")
    for newer, described in RENAMED_SINCE.items():
        body = body.replace(newer, described)
    answer = await mock.request(
        said.method,
        f"{said.path}?{said.query}" if said.query else said.path,
        content=body,
        headers={"Content-Type": "application/x-www-form-urlencoded"} if said.method == "POST" else {},
    )
    return None if answer.is_success else f"{said}: {answer.json()['error']['message'][:300]}"


async def test_every_request_of_the_product_is_accepted(record: Record, mock: httpx.AsyncClient) -> None:
    refused = [await refusal_of(mock, said) for said in record.product]

    assert record.product
    assert "\n".join(one for one in refused if one) == ""


async def test_so_is_every_request_that_the_sandbox_accepts(record: Record, mock: httpx.AsyncClient) -> None:
    refused = [await refusal_of(mock, said) for said in record.walk if said.status == 200]

    assert "\n".join(one for one in refused if one) == ""


async def test_so_is_every_request_that_other_suites_kept(mock: httpx.AsyncClient) -> None:
    """In CI, whatever the product sent while its own tests ran."""
    refused = [await refusal_of(mock, said) for said in kept()]

    assert "\n".join(one for one in refused if one) == ""


async def test_what_stripe_does_not_know_is_refused_by_both(record: Record, mock: httpx.AsyncClient) -> None:
    """The comparison itself works."""
    wrong = [said for said in record.walk if "colour" in said.body]

    assert [said.status for said in wrong] == [400]
    assert all([await refusal_of(mock, said) for said in wrong])
