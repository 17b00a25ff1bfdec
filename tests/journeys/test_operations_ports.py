"""Every process of the running product answers its operator."""

import httpx
import pytest

from sandbox.processes import SERVICES
from sandbox.stack import EmbeddedStack


@pytest.mark.parametrize("name", [service.name for service in SERVICES])
@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics"])
async def test_every_service_answers_on_its_operations_port(stack: EmbeddedStack, name: str, path: str) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"{stack.operations_url(name)}{path}")

    assert answer.status_code == 200


async def test_the_description_names_every_process(stack: EmbeddedStack) -> None:
    expected = {"postgres", "kafka", "stripe", "mailbox", "issuer", "front", *(service.name for service in SERVICES)}

    assert set(stack.describe().processes) == expected
