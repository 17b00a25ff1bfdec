"""What a job is, and how a row of `stripe_commands` holds it: earlier and later versions read it as well."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Final, Self

from pydantic import TypeAdapter, ValidationError


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Something to do at Stripe after a commit. Its first field is its subject, unless `subject` says otherwise."""

    KIND: ClassVar[str]
    """The word that its rows have, whatever the class is called: earlier versions and staff know it."""

    @property
    def subject(self) -> str:
        """Return what it is about. Kind and subject are its key: wanted twice, it is one row."""
        return str(getattr(self, fields(self)[0].name))

    @property
    def arguments(self) -> dict[str, Any]:
        """Return as JSON what its subject does not say; what has its default is left out."""
        arguments: dict[str, Any] = _adapter(type(self)).dump_python(self, mode="json", exclude_defaults=True)
        if type(self).subject is Job.subject:
            del arguments[fields(self)[0].name]
        return arguments

    @classmethod
    def read(cls, subject: str, arguments: Mapping[str, Any]) -> Self:
        """Return the job of a row, whichever version wrote it; arguments that nobody knows here are passed over.

        Raises UnreadableJob.
        """
        try:
            job: Self = _adapter(cls).validate_python({fields(cls)[0].name: subject, **arguments})
        except ValidationError as error:
            wrong = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
            raise UnreadableJob(f"{cls.KIND} of {subject}: {wrong}") from error
        return job


class UnreadableJob(Exception):  # noqa: N818 - named for what it says
    """A row whose arguments this version does not understand: another one may."""


_ADAPTERS: Final[dict[type[Job], TypeAdapter[Any]]] = {}


def _adapter(kind: type[Job]) -> TypeAdapter[Any]:
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]
