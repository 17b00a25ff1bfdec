"""Reading a request's parameters, with Stripe's own complaints about them."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from sandbox.stripe.forms import Form, values_of
from sandbox.stripe.model import Json
from sandbox.stripe.refusals import parameter_empty, parameter_invalid, parameter_missing, parameters_unknown

METADATA_KEYS: Final = 50
METADATA_KEY: Final = 40
METADATA_VALUE: Final = 500
"""Limits of https://docs.stripe.com/api/metadata."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """A form and the name it has in its parent (empty at the top)."""

    form: Form
    prefix: str = ""
    path: Mapping[str, str] = field(default_factory=dict)

    def name_of(self, name: str) -> str:
        """Return how Stripe names a nested parameter: `invoice_settings[default_payment_method]`."""
        return f"{self.prefix}[{name}]" if self.prefix else name

    def has(self, name: str) -> bool:
        """Return whether `name` was sent, be it empty."""
        return name in self.form

    def refuse_unknown(self, accepted: Iterable[str]) -> None:
        """Raise parameter_unknown for the first level; `a.b` in `accepted` also limits what `a` may hold."""
        accepted = set(accepted)
        heads = {name.partition(".")[0] for name in accepted}
        unknown = [name for name in self.form if name not in heads]
        for name, nested in self.form.items():
            limits = {rest for head, dot, rest in (one.partition(".") for one in accepted) if dot and head == name}
            if limits and isinstance(nested, dict):
                unknown += [f"{name}[{key}]" for key in nested if key not in limits]
        if unknown:
            raise parameters_unknown(params=unknown)

    def text(self, name: str) -> str | None:
        """Read a text; an empty one is refused, since Stripe takes it for an attempt to unset."""
        value = self.form.get(name)
        if value == "":
            raise parameter_empty(param=self.name_of(name))
        if value is not None and not isinstance(value, str):
            raise parameter_invalid("Invalid string", param=self.name_of(name))
        return value

    def unset_or_text(self, name: str, *, current: str | None) -> str | None:
        """Read a text that may be unset by an empty one, and that stays as it is when not sent."""
        if not self.has(name):
            return current
        return None if self.form[name] == "" else self.text(name)

    def required(self, name: str) -> str:
        """Read a text that must be there."""
        value = self.text(name)
        if value is None:
            raise parameter_missing(param=self.name_of(name))
        return value

    def integer(self, name: str) -> int | None:
        """Read a whole number."""
        value = self.text(name)
        if value is None:
            return None
        try:
            return int(value)
        except ValueError:
            message = f"Invalid integer: {value}"
            raise parameter_invalid(message, param=self.name_of(name), code="parameter_invalid_integer") from None

    def boolean(self, name: str) -> bool | None:
        """Read `true` or `false`."""
        value = self.text(name)
        if value not in (None, "true", "false"):
            raise parameter_invalid(f"Invalid boolean: {value}", param=self.name_of(name))
        return None if value is None else value == "true"

    def choice(self, name: str, *, among: Collection[str]) -> str | None:
        """One of a few words."""
        value = self.text(name)
        if value is not None and value not in among:
            *most, last = sorted(among)
            message = f"Invalid {self.name_of(name)}: must be one of {', '.join(most)}, or {last}"
            raise parameter_invalid(message, param=self.name_of(name))
        return value

    def nested(self, name: str) -> "Params":
        """Read the hash `name`, empty when it was not sent."""
        value = self.form.get(name) or {}
        if not isinstance(value, dict):
            raise parameter_invalid("Invalid object", param=self.name_of(name))
        return Params(form=value, prefix=self.name_of(name))

    def plain(self, name: str, *, current: Json | None = None) -> Json | None:
        """Read a hash that the sandbox only keeps, such as an address."""
        if not self.has(name):
            return current
        return dict(self.nested(name).form) or None

    def texts(self, name: str) -> list[str]:
        """Read a list of texts."""
        return [str(value) for value in values_of(self.nested(name).form)]

    def metadata(self, *, current: Mapping[str, str] | None = None) -> dict[str, str]:
        """Merge the metadata: a key is unset by an empty value, all by an empty `metadata`."""
        if self.form.get("metadata") == "":
            return {}
        sent = self.nested("metadata").form
        merged = {**(current or {}), **{key: str(value) for key, value in sent.items()}}
        kept = {key: value for key, value in merged.items() if value != ""}
        _refuse_long_metadata(kept)
        return kept


def _refuse_long_metadata(metadata: Mapping[str, str]) -> None:
    if len(metadata) > METADATA_KEYS:
        message = f"Metadata can have at most {METADATA_KEYS} keys; you passed {len(metadata)}."
        raise parameter_invalid(message, param="metadata")
    for key, value in metadata.items():
        if len(key) > METADATA_KEY:
            message = f"Metadata keys can be at most {METADATA_KEY} characters long."
            raise parameter_invalid(message, param="metadata")
        if len(value) > METADATA_VALUE:
            message = (
                f"Metadata values can have up to {METADATA_VALUE} characters, but you passed in a value that is "
                f"{len(value)} characters."
            )
            raise parameter_invalid(message, param=f"metadata[{key}]")
