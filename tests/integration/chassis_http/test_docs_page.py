"""The page of the API's documentation."""

import re

import httpx

from chassis.settings import ServiceSettings
from chassis.web import web_app


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
