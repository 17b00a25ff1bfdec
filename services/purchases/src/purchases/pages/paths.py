"""The addresses of a workspace's pages."""

from urllib.parse import quote


def services_path(workspace_id: str) -> str:
    """Where services are bought."""
    return f"{_workspace(workspace_id)}/billing/addons"


def billing_path(workspace_id: str) -> str:
    """Where the plan is seen, by everyone in the workspace."""
    return f"{_workspace(workspace_id)}/settings/billing"


def _workspace(workspace_id: str) -> str:
    return f"/app/{quote(workspace_id, safe='')}"
