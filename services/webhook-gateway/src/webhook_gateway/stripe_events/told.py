"""A fact on its way out: its type and its fields, not yet a model.

Making a pydantic model only to write it as JSON costs three times what writing its fields does. A test holds every fact
that can be told to its closed schema, and to what its model would have written.
"""

from typing import Any, NamedTuple

from contracts.stripe_facts import StripeFact
from stripe_reader.origin import StripeObject
from webhook_gateway.stripe_events.stripe_event import StripeEvent, envelope_of


class Told(NamedTuple):
    """What one event tells: all fields of `kind`; `occurred_at` is RFC 3339 text, other times are times in UTC."""

    kind: type[StripeFact]
    fields: dict[str, Any]

    @property
    def key(self) -> str:
        """As `StripeFact.key`."""
        customer_id: str | None = self.fields["customer_id"]
        return customer_id or self.subject

    @property
    def subject(self) -> str:
        """As `StripeFact.subject`."""
        object_id: str = self.fields["object_id"]
        return object_id

    def fact(self) -> StripeFact:
        """The model, for whoever wants one."""
        return self.kind.model_validate(self.fields, from_attributes=True)


def tell(kind: type[StripeFact], event: StripeEvent, value: StripeObject, /, **more: Any) -> Told:
    """Return the fact of an event: its envelope, what was read of its object, and what only this fact says."""
    return Told(kind, {**envelope_of(event), **vars(value), **more})
