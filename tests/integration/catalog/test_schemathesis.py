"""What schemathesis makes of the API's own description, it answers as described: on real PostgreSQL, over real HTTP."""

from pathlib import Path
from typing import Final

import pytest

from chassis.web.server import HttpServer
from tests.integration.catalog.conftest import STAFF, Catalog
from tests.rounds import rounds
from tests.schemathesis_run import FULL, SOME, run_schemathesis

DEPTH: Final = rounds(SOME, every=FULL)

CONFIG = """
# What a schema cannot say is refused with 412, 422 or 428: an ETag that is not the present one, a price below its
# currency's minimum, text that is no cursor.
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "304", "401", "403", "404", "412", "422", "428"]
"""


@pytest.mark.timeout(600)
async def test_schemathesis_finds_nothing(catalog: Catalog, tmp_path: Path) -> None:
    await catalog.given_the_seed()
    token = catalog.issuer.mint(STAFF)

    async with HttpServer(catalog.api, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.port}"
        status, output = await run_schemathesis(url, directory=tmp_path, depth=DEPTH, config=CONFIG, token=token)

    assert status == 0, output
