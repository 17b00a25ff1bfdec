"""What every fact has in common: a type with its version, an identity, a Kafka key."""

from typing import ClassVar, Final
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict

NAMESPACE: Final = UUID("b1f0c7a2-5f0e-5c1d-9b53-6b1f2a9d4e10")
"""The UUIDv5 namespace of all fact ids; changing it would give a fact that is published again another id."""


class Fact(BaseModel):
    """Something that happened. Producers are closed (the schema), consumers open (unknown keys are ignored)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    TYPE: ClassVar[str]
    """CloudEvents type, e.g. `billing.purchase.paid.v1`; a breaking change is a new version beside the old."""

    @property
    def identity(self) -> str:
        """What this fact is about and its place there; with the type it makes the stable id."""
        raise NotImplementedError

    @property
    def subject(self) -> str:
        """CloudEvents subject: the id of the aggregate."""
        raise NotImplementedError

    @property
    def key(self) -> str:
        """Kafka key. Locality only: correctness never rests on it."""
        raise NotImplementedError

    @property
    def id(self) -> UUID:
        """The same for the same fact however often it is published within one epoch of its database.

        In the first epoch it is the envelope's; a later one, after a restored backup, makes another of it.
        """
        return uuid5(NAMESPACE, f"{self.TYPE}:{self.identity}")
