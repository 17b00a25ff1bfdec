"""Whatever JSON comes, a body is either refused or safe to store; and the schema says which."""

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from catalog.bodies import EXAMPLE, AddonEdit, NewAddon, SlugLocked
from catalog.limits import BULLET_LENGTH, BULLETS, DESCRIPTION_LENGTH, NAME_LENGTH

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=250),
    lambda inner: st.lists(inner, max_size=10) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=15,
)
bodies = st.fixed_dictionaries({}, optional=dict.fromkeys(NewAddon.model_fields, json_values))
described = st.fixed_dictionaries(
    {"name": st.text(max_size=NAME_LENGTH + 1), "price": st.just("499.00")},
    optional={
        "description": st.none() | st.text(max_size=DESCRIPTION_LENGTH + 1),
        "bullets": st.none() | st.lists(st.text(max_size=BULLET_LENGTH + 1), max_size=BULLETS + 1),
    },
)


@settings(deadline=None)
@given(bodies | described)
@example(dict(EXAMPLE))
def test_what_is_taken_can_be_stored_and_shown(body: dict[str, Any]) -> None:
    try:
        new = NewAddon.model_validate(body)
    except ValidationError:
        assert body != EXAMPLE
        return
    texts = [new.name, new.description or "", *(new.bullets or [])]
    assert 0 < len(new.name) <= NAME_LENGTH
    assert all(0 < len(bullet) <= BULLET_LENGTH for bullet in new.bullets or [])
    assert not any("\x00" in text for text in texts)
    assert all(text.encode("utf-8") is not None for text in texts)
    assert not any(ending in new.name for ending in "\r\n\x0b\x0c\x85\u2028\u2029")


@settings(deadline=None)
@given(bodies)
def test_an_edit_holds_what_was_named_and_nothing_else(body: dict[str, Any]) -> None:
    try:
        edit = AddonEdit.model_validate(body)
    except ValidationError:
        return
    assert set(body) == set(edit.given)


@pytest.mark.parametrize("slug", ["another", None, 1])
def test_an_edit_that_names_the_slug_is_refused_as_such(slug: object) -> None:
    with pytest.raises(SlugLocked):
        AddonEdit.model_validate({"slug": slug})


@pytest.mark.parametrize("body", [NewAddon, AddonEdit])
def test_the_schema_is_closed_and_its_examples_fit_it_and_the_model(body: type[NewAddon | AddonEdit]) -> None:
    schema = body.model_json_schema()

    assert schema["additionalProperties"] is False
    for shown in schema["examples"]:
        Draft202012Validator(schema).validate(shown)
        body.model_validate(shown)


@pytest.mark.parametrize("field", ["price", "price_cents"])
def test_the_schema_refuses_null_where_the_model_does(field: str) -> None:
    body = {"name": "Setup", "price": "1", field: None}

    assert list(Draft202012Validator(NewAddon.model_json_schema()).iter_errors(body))
    with pytest.raises(ValidationError):
        NewAddon.model_validate(body)
