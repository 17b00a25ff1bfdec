"""What somebody does on the issuer's page, without a browser."""

import html

import httpx


def leads_to(begun: httpx.Response) -> str:
    """The issuer's page: by itself, and by a link for browsers that do not follow."""
    address = begun.headers["refresh"].removeprefix("0; url=")
    assert f'href="{html.escape(address)}"' in begun.text
    return str(address)


async def at_the_issuer(begun: httpx.Response, person: str = "owner", **named: str) -> str:
    """Pick somebody on the issuer's page; where it sends the browser."""
    async with httpx.AsyncClient() as browser:
        answer = await browser.post(leads_to(begun), data={"person": person, **named})
    return str(answer.headers["location"])


async def signed_in(visitor: httpx.AsyncClient, path: str = "/session/sign-in", **named: str) -> httpx.Response:
    return await visitor.get(await at_the_issuer(await visitor.get(path), **named))
