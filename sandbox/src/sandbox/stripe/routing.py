"""Every operation of the API that the sandbox knows, and which of them a request is."""

from collections.abc import Iterable, Mapping
from typing import Final

from sandbox.stripe.known.operation import Operation
from sandbox.stripe.known.paying import PAYING
from sandbox.stripe.known.selling import SELLING

OPERATIONS: Final = (*PAYING, *SELLING)


def find_operation(*, method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
    """Find the row for a request, with the ids that its path carries."""
    steps = tuple(path.strip("/").split("/"))
    for pattern, operation in _BY_SHAPE.get((method, len(steps)), ()):
        if all(own == step or own.startswith("{") for own, step in zip(pattern, steps, strict=True)):
            named = zip(pattern, steps, strict=True)
            return operation, {own[1:-1]: step for own, step in named if own.startswith("{")}
    return None


_Shapes = Mapping[tuple[str, int], list[tuple[tuple[str, ...], Operation]]]


def _by_shape(operations: Iterable[Operation]) -> _Shapes:
    shapes: dict[tuple[str, int], list[tuple[tuple[str, ...], Operation]]] = {}
    for operation in operations:
        pattern = tuple(operation.path.strip("/").split("/"))
        shapes.setdefault((operation.method, len(pattern)), []).append((pattern, operation))
    return shapes


_BY_SHAPE: Final = _by_shape(OPERATIONS)
