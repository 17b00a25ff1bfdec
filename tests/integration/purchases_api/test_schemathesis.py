"""What schemathesis makes of the API's own description, it answers as described: real PostgreSQL, HTTP and Stripe."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from chassis.web.server import HttpServer
from sandbox.ports import LOOPBACK
from tests.integration.purchases.harness import Harness
from tests.integration.purchases.test_caps import BUILDER, FREE, plan
from tests.integration.purchases.test_portal import given_a_portal
from tests.integration.purchases_api.conftest import STAFF, Api
from tests.rounds import rounds
from tests.schemathesis_run import SOME, Depth, run_schemathesis

DEPTH: Final = rounds(SOME, every=Depth("examples,coverage,fuzzing", 2))
CONFIG: Final = """
[parameters]
"path.ws" = "{workspace_id}"

# What a schema cannot say is refused: an add-on that does not exist or is bought already, a return URL on a foreign
# origin, a purchase or parked item that is not there, a period that ends before it begins, text that is no cursor.
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "401", "402", "403", "404", "409", "422", "429"]
"""
CALLERS: Final[Mapping[str, dict[str, Any]]] = {
    "/v1/admin/": STAFF,
    "/v1/workspaces/": {
        "sub": "olga",
        "workspaces": {"ws-acme": "owner"},
        "scope": "workspaces:write resources:write",
    },
}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("part", CALLERS)
async def test_schemathesis_finds_nothing(harness: Harness, api: Api, part: str, tmp_path: Path) -> None:
    await harness.deliver(plan("free", FREE), plan("builder", BUILDER))
    await harness.given_an_addon("professional-ai-setup")
    workspace_id = await harness.given_a_workspace(workspace_id="ws-acme")
    await harness.buy(harness.order(workspace_id, "professional-ai-setup"))
    await given_a_portal(harness)
    config, token = CONFIG.format(workspace_id=workspace_id), api.issuer.mint(CALLERS[part])

    async with HttpServer(api.app, LOOPBACK, 0) as server:
        url, only = f"http://{LOOPBACK}:{server.port}", ("--include-path-regex", f"^{part}")
        status, output = await run_schemathesis(url, *only, directory=tmp_path, depth=DEPTH, config=config, token=token)

    assert status == 0, output
