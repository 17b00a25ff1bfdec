"""The problems of workspaces."""

from chassis.problems import Problem


def workspace_not_found() -> Problem:
    """Return a 404, also for what is not yours: nobody learns which workspaces exist."""
    return Problem(404, "workspace-not-found", "There is no such workspace")
