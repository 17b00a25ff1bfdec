"""What a buyer does on the page of the bank, without a browser."""

import re
from urllib.parse import urljoin

import httpx


async def authorise(http: httpx.AsyncClient, action_url: str) -> str:
    """Open the page, press «Authorise», and say where the bank sends the buyer back to."""
    page = await http.get(action_url)
    page.raise_for_status()
    target = re.search(r'action="([^"]*/authorise)"', page.text)
    if target is None:
        raise ValueError(f"no way to authorise on {action_url}")
    answer = await http.post(urljoin(str(page.url), target[1]))
    return str(answer.headers["location"])
