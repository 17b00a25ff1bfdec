"""Whatever is sent, the answer is one that the API documents: never a 500, and what is taken can be read back."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.bodies import AddonEdit, NewAddon
from tests.integration.catalog.conftest import ADDONS, Catalog
from tests.rounds import rounds

texts = st.text(max_size=210)
values = (
    texts
    | st.none()
    | st.booleans()
    | st.integers()
    | st.lists(texts, max_size=9)
    | st.floats(allow_nan=False, allow_infinity=False)
)
likely: dict[str, st.SearchStrategy[Any]] = {
    "name": texts,
    "description": texts | st.none(),
    "bullets": st.lists(texts, max_size=9) | st.none(),
    "price": st.decimals(min_value=0, max_value=10**6, places=2).map(str) | texts,
    "price_cents": st.integers(),
    "currency": st.sampled_from(["EUR", "usd", "JPY", "KWD", "ISK", "XXX"]) | texts,
    "is_active": st.booleans(),
    "sort_order": st.integers(),
}
relaxed = settings(
    deadline=None,
    max_examples=rounds(20, every=60),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def bodies(fields: set[str]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional={field: likely[field] | values for field in fields})


@relaxed
@given(body=bodies(set(NewAddon.model_fields)))
async def test_any_new_addon_is_stored_as_shown_or_refused(catalog: Catalog, body: dict[str, Any]) -> None:
    body = {"name": "Setup", "price": "499.00"} | body
    async with catalog.staff() as staff:
        answer = await staff.post(ADDONS, json=body)

    assert answer.status_code in {201, 422}
    if answer.status_code == 201:
        assert answer.json() == await catalog.shown(answer.json())


@relaxed
@given(body=bodies(set(AddonEdit.model_fields)))
async def test_any_edit_is_stored_as_shown_or_refused(catalog: Catalog, body: dict[str, Any]) -> None:
    addon = await catalog.given_an_addon()

    answer = await catalog.edit(addon, body)

    assert answer.status_code in {200, 422}
    assert await catalog.shown(addon) == (answer.json() if answer.status_code == 200 else addon)


@relaxed
@given(sent=st.binary(max_size=60))
async def test_any_bytes_in_a_condition_are_compared_and_no_more(catalog: Catalog, sent: bytes) -> None:
    addon = await catalog.given_an_addon()
    value = bytes(byte for byte in sent if byte >= 32)

    async with catalog.staff() as staff:
        listed = await staff.get("/v1/addons", headers={b"If-None-Match": value})
        edited = await staff.patch(f"{ADDONS}/{addon['id']}", json={}, headers={b"If-Match": value})

    assert listed.status_code in {200, 304}
    assert edited.status_code in {200, 412}
