"""One running stack for all journeys; each has workspaces of its own, and ends with books that agree."""

from tests.product import scene, stack

__all__ = ["scene", "stack"]
