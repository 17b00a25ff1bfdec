"""One job that is left to do, and how one sees that it was done."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class LeftToDo:
    """`seen` is `expected` once the job has been carried out, and not before."""

    ids: Mapping[str, str]
    seen: Callable[[], Awaitable[Any]]
    expected: Any
