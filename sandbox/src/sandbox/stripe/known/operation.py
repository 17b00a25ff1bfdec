"""One row of the table: an operation's name, its path, the parameters it accepts, its function."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sandbox.stripe.call import Call
from sandbox.stripe.model import Json, Thing

PAGING: Final = "limit starting_after ending_before "


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One row of the table. `{id}` in the path is one segment."""

    name: str
    method: str
    path: str
    accepts: frozenset[str]
    act: Callable[[Call], Thing | Json]


def row(name: str, route: str, accepts: str, act: Callable[[Call], Any]) -> Operation:
    """Describe an operation: `route` is method and path; `accepts` are names between spaces."""
    method, path = route.split()
    names = frozenset([*accepts.split(), *(["expand"] if method != "DELETE" else [])])
    return Operation(name=name, method=method, path=path, accepts=names, act=act)
