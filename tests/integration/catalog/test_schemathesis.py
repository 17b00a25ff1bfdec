"""What schemathesis makes of the API's own description, it answers as described: on real PostgreSQL, over real HTTP."""

import asyncio
import sys
from pathlib import Path

from chassis.server import HttpServer
from tests.integration.catalog.conftest import STAFF, Catalog

EXAMPLES = 5
"""Of each operation and kind: with those that it derives itself some 400 requests, in about 20 s."""
CONFIG = """
# What a schema cannot say is refused with 412, 422 or 428: an ETag that is not the present one, a price below its
# currency's minimum, text that is no cursor.
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "304", "401", "403", "404", "412", "422", "428"]
"""


async def test_schemathesis_finds_nothing(catalog: Catalog, tmp_path: Path) -> None:
    await catalog.given_the_seed()
    token = catalog.issuer.mint(STAFF)
    (tmp_path / "schemathesis.toml").write_text(CONFIG)

    async with HttpServer(catalog.api, "127.0.0.1", 0) as server:
        process = await asyncio.create_subprocess_exec(
            str(Path(sys.executable).with_name("schemathesis")), "run",
            f"http://127.0.0.1:{server.port}/openapi.json",
            "--header", f"Authorization: Bearer {token}",
            "--max-examples", str(EXAMPLES), "--seed", "1", "--no-color",
            cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        output, _ = await process.communicate()

    assert process.returncode == 0, output.decode()
