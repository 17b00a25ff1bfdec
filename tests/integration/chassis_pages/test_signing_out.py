"""Signing out: here and at the issuer, and never by halves."""

import html
import re
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt

from chassis.kafka.ended_sessions import EndedSessions
from chassis.process.settings import ServiceSettings
from chassis.web.auth import TokenVerifier
from chassis.web.jwks import Jwks
from sandbox.issuer import Issuer
from tests.integration.chassis_pages.at_the_issuer import leads_to, signed_in
from tests.integration.chassis_pages.conftest import AUDIENCE, Site, make_site


async def test_signing_out_ends_the_session_and_only_our_own_page_can_ask_for_it(site: Site) -> None:
    async with site.visitor(token=site.token()) as visitor:
        foreign = await visitor.post("/session/sign-out", headers={"Origin": "https://evil.example"})
        own = await visitor.post("/session/sign-out")

    assert (foreign.status_code, "set-cookie" in foreign.headers) == (403, False)
    assert own.status_code == 200
    (ended,) = [one for one in own.headers.get_list("set-cookie") if one.startswith(f'{site.cookie}=""')]
    assert "Max-Age=0" in ended


async def test_signing_out_ends_the_session_at_the_issuer_too_and_leads_back(site: Site) -> None:
    async with site.visitor() as visitor:
        await signed_in(visitor)
        left = await visitor.post("/session/sign-out")
        async with httpx.AsyncClient() as browser:
            back = await browser.get(left.headers["refresh"].removeprefix("0; url="))
        page = await visitor.get(back.headers["location"])

    asked = parse_qs(urlsplit(left.headers["refresh"]).query)
    assert jwt.decode(asked["id_token_hint"][0], options={"verify_signature": False})["sub"] == "olivia"
    assert (page.status_code, "You are signed out" in page.text) == (200, True)


async def test_while_the_issuer_is_away_one_is_signed_out_here(issuer: tuple[Issuer, str]) -> None:
    site = make_site(*issuer, app_env="production", oidc_url="http://127.0.0.1:9")
    async with site.visitor(token=site.token()) as visitor:
        left = await visitor.post("/session/sign-out")

    assert (left.status_code, left.headers["location"]) == (303, "/session/signed-out")
    assert [one for one in left.headers.get_list("set-cookie") if one.startswith(f'{site.cookie}=""')]


async def test_who_cannot_be_signed_out_everywhere_reads_so_and_stays_signed_in(site: Site) -> None:
    """While there are no keys, nobody can say whose token it is, and until when the others must refuse it."""
    site.app.state.verifier = TokenVerifier(Jwks("http://127.0.0.1:9/jwks.json"), site.issuer_url, AUDIENCE)
    site.app.state.ended_sessions = EndedSessions(ServiceSettings(app_env="testing"))
    async with site.visitor(token=site.token()) as visitor:
        left = await visitor.post("/session/sign-out", headers={"Accept": "text/html"})

    assert left.status_code == 503
    assert int(left.headers["Retry-After"]) > 0
    assert [one for one in left.headers.get_list("set-cookie") if one.startswith(site.cookie)] == []


async def test_who_signs_in_again_after_signing_out_is_asked_who_it_is(site: Site) -> None:
    async with site.visitor() as visitor:
        page = await visitor.get("/session/signed-out")
        link = html.unescape(re.findall(r'href="(/session/sign-in[^"]+)"', page.text)[0])
        begun = await visitor.get(link)

    assert parse_qs(urlsplit(leads_to(begun)).query)["prompt"] == ["login"]
