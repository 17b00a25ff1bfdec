"""Which rows number a service's facts: what of them is in the ledger, and how their numbers are lifted."""

from collections.abc import Sequence
from dataclasses import dataclass

from contracts import Fact
from contracts.topics import TOPICS


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """Facts of one kind, and the rows that keep the `sequence` of the last one of each subject.

    The names are a table's own, and no input.
    """

    fact: type[Fact]
    table: str
    key: str = "id"
    key_type: str = "uuid"

    @property
    def known(self) -> str:
        """Return the statement for the subjects $1 that have a row: subject and sequence."""
        return (
            f"select {self.key}::text, sequence from {self.table}"  # noqa: S608
            f" where {self.key} = any($1::text[]::{self.key_type}[])"
        )

    @property
    def lock(self) -> str:
        """Return the statement that locks the rows of `:subjects`, in one order: who lifts waits for who works."""
        return (
            f"select {self.key}::text from {self.table}"  # noqa: S608
            f" where {self.key} = any(cast(cast(:subjects as text[]) as {self.key_type}[]))"
            f" order by {self.key} for update"
        )

    @property
    def lift(self) -> str:
        """Return the statement that lifts `:subjects` to at least `:sequences`."""
        return (
            f"update {self.table} set sequence = published.sequence"  # noqa: S608
            f" from unnest(cast(:subjects as text[]), cast(:sequences as bigint[])) as published (subject, sequence)"
            f" where {self.table}.{self.key} = cast(published.subject as {self.key_type})"
            f" and {self.table}.sequence < published.sequence"
        )


def topics_of(ledger: Sequence[Numbered]) -> frozenset[str]:
    """Return the topics on which these facts lie."""
    kinds = tuple(one.fact for one in ledger)
    return frozenset(topic.name for fact, topic in TOPICS.items() if issubclass(fact, kinds))


def numbered_by(ledger: Sequence[Numbered], fact: Fact) -> Numbered | None:
    """Return what numbers `fact`; None for a kind without a number of its own."""
    return next((one for one in ledger if isinstance(fact, one.fact)), None)
