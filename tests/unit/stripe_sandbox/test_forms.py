"""Form-encoded bodies with brackets."""

import pytest

from sandbox.stripe.forms import BadFormError, Form, parse_form, values_of


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("", {}),
        ("name=Olga+B.%21&email=", {"name": "Olga B.!", "email": ""}),
        ("metadata[a]=1&metadata[b]=2", {"metadata": {"a": "1", "b": "2"}}),
        ("metadata%5Ba%5D=1", {"metadata": {"a": "1"}}),
        ("items[0][price]=p&items[1][price]=q", {"items": {"0": {"price": "p"}, "1": {"price": "q"}}}),
        ("expand[]=a&expand[]=b", {"expand": {"0": "a", "1": "b"}}),
        ("a=1&a=2", {"a": "2"}),
    ],
)
def test_brackets_nest(raw: str, expected: Form) -> None:
    assert parse_form(raw) == expected


def test_a_list_keeps_its_order_beyond_ten() -> None:
    form = parse_form("&".join(f"expand[{n}]=v{n}" for n in range(12)))

    assert values_of(form["expand"]) == [f"v{n}" for n in range(12)]


def test_a_name_cannot_be_a_text_and_a_hash() -> None:
    with pytest.raises(BadFormError):
        parse_form("a=1&a[b]=2")
