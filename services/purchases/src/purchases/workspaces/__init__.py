"""The workspaces of the host product, as they registered."""
