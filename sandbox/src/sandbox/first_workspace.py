"""A workspace for whoever opens the pages first: the one where the people of the issuer's page are at home."""

import httpx

from sandbox.description import Description
from sandbox.issuer.people import PEOPLE, WORKSPACE


def register_first_workspace(stack: Description) -> None:
    """As the host product does it. Twice is once; a stack without the services, or without issuer, gets none."""
    if not {"purchases-api", "issuer", "stripe"} <= stack.processes.keys():
        return
    owner = PEOPLE["owner"]
    host = {"sub": "host-product", "email": "host@quittance.test", "scope": "workspaces:write"}
    with httpx.Client(timeout=30, trust_env=False) as http:
        token = http.post(f"{stack.issuer_url}/token", json=host).raise_for_status().json()["access_token"]
        http.put(
            f"{stack.purchases_url}/v1/workspaces/{WORKSPACE}",
            json={"name": WORKSPACE.capitalize(), "owner": {"user_id": owner.sub, "email": owner.email}},
            headers={"Authorization": f"Bearer {token}"},
        ).raise_for_status()
