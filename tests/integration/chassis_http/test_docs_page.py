"""The page of the API's documentation."""

import base64
import hashlib
import re
from typing import Any

import httpx
import pytest

from chassis.process.settings import ServiceSettings
from chassis.web.web import web_app


async def test_the_documentation_asks_nobody_else_for_anything() -> None:
    """A page that loads its scripts from elsewhere shows nothing behind a closed network, and tells who reads it."""
    transport = httpx.ASGITransport(app=web_app("Quittance", ServiceSettings(app_env="testing")))
    async with httpx.AsyncClient(transport=transport, base_url="http://quittance.test") as client:
        page = await client.get("/docs")
        loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
        answers = [await client.get(address) for address in loaded]

    assert loaded
    assert all(address.startswith("/") for address in loaded)
    assert {answer.status_code for answer in answers} == {200}


async def asked(path: str, **settings: Any) -> httpx.Response:
    transport = httpx.ASGITransport(app=web_app("Quittance", ServiceSettings(**settings)))
    async with httpx.AsyncClient(transport=transport, base_url="http://quittance.test") as client:
        return await client.get(path)


async def test_its_policy_runs_the_scripts_that_are_in_it_and_no_others() -> None:
    page = await asked("/docs", app_env="local")

    policy = page.headers["content-security-policy"]
    (script,) = re.findall(r"<script>(.*?)</script>", page.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'self' 'sha256-{digest}';" in policy
    assert policy.startswith("default-src 'none';")


@pytest.mark.parametrize("path", ["/docs", "/openapi.json", "/static-offline-docs/swagger-ui.css"])
@pytest.mark.parametrize(
    ("settings", "status"),
    [
        ({"app_env": "production"}, 404),
        ({"app_env": "staging", "serve_docs": False}, 404),
        ({"app_env": "production", "serve_docs": True}, 200),
        ({"app_env": "local"}, 200),
        ({"app_env": "testing"}, 200),
    ],
)
async def test_a_protected_deployment_describes_itself_only_where_that_is_asked_for(
    path: str, settings: dict[str, Any], status: int
) -> None:
    assert (await asked(path, **settings)).status_code == status
