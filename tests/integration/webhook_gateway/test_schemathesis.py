"""What schemathesis makes of the gateway's own description, it answers as described: in front of a real Kafka."""

from pathlib import Path

import pytest

from tests.integration.webhook_gateway.conftest import Start
from tests.schemathesis_run import FULL, run_schemathesis

HOOKS = "tests.integration.webhook_gateway.signing_hooks"
"""Imported by schemathesis' own process alone."""


@pytest.mark.timeout(600)
async def test_schemathesis_finds_nothing(start: Start, tmp_path: Path) -> None:
    async with start(SERVE_DOCS="true") as gateway:
        url = str(gateway.client.base_url).rstrip("/")
        status, output = await run_schemathesis(url, directory=tmp_path, depth=FULL, hooks=HOOKS)
        metrics = await gateway.metrics()

    assert status == 0, output
    for outcome in ("published", "unhandled", "not-an-event", "signature-malformed", "signature-missing"):
        assert f'outcome="{outcome}"' in metrics
