"""Form-encoded bodies with brackets, as Stripe reads them: `items[0][price]=…`, `expand[]=…`, `metadata[k]=…`."""

import re
from typing import Any, Final
from urllib.parse import parse_qsl

Form = dict[str, Any]
"""Names to text or to a nested form. A list is a form whose names are its positions."""

_BRACKET: Final = re.compile(r"\[([^\[\]]*)\]")


class BadFormError(ValueError):
    """A name that is used as a text and as a hash, or that cannot be decoded."""


def parse_form(raw: str) -> Form:
    """Read `raw` into nested dictionaries. Raises BadFormError."""
    form: Form = {}
    for name, value in parse_qsl(raw, keep_blank_values=True):
        _store(form=form, steps=_steps(name), value=value)
    return form


def values_of(form: Form) -> list[Any]:
    """Return the items of a list that was sent as `a[]=…` or `a[0]=…`, in their order."""
    return [form[key] for key in sorted(form, key=lambda key: (not key.isdigit(), int(key) if key.isdigit() else 0))]


def _steps(name: str) -> list[str]:
    head = name.split("[", 1)[0]
    return [head, *_BRACKET.findall(name[len(head) :])]


def _store(*, form: Form, steps: list[str], value: str) -> None:
    node = form
    for step in steps[:-1]:
        node = node.setdefault(_position(node=node, step=step), {})
        if not isinstance(node, dict):
            raise BadFormError(f"Invalid {step}: it is a text and a hash")
    node[_position(node=node, step=steps[-1])] = value


def _position(*, node: Form, step: str) -> str:
    return step or str(len(node))
