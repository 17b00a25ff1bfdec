"""What the product sends, Stripe takes: stripe-mock, which refuses what is not described, accepts every request."""

import httpx

from tests.faithfulness.conftest import Record
from tests.faithfulness.recorder import Exchange


async def refusal_of(mock: httpx.AsyncClient, said: Exchange) -> str | None:
    """What stripe-mock has against a request; its objects are canned, so no id is unknown."""
    answer = await mock.request(
        said.method,
        said.path,
        params=said.query or None,
        content=said.body,
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


async def test_what_stripe_does_not_know_is_refused_by_both(record: Record, mock: httpx.AsyncClient) -> None:
    """The comparison itself works."""
    wrong = [said for said in record.walk if "colour" in said.body]

    assert [said.status for said in wrong] == [400]
    assert all([await refusal_of(mock, said) for said in wrong])
