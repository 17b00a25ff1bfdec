"""Signing in with the issuer, coming back to where one was, and what becomes of a form when the session ends."""

import html
import re
import time
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx
import jwt
import pytest

from sandbox.issuer import Issuer
from sandbox.issuer import api as issuer_api
from tests.integration.chassis_pages.at_the_issuer import at_the_issuer, leads_to, signed_in
from tests.integration.chassis_pages.conftest import ORIGIN, Site, make_site


def next_of(sent: httpx.Response) -> str | None:
    """Where one is to come back to."""
    return parse_qs(urlsplit(sent.headers["location"]).query).get("next", [None])[0]


async def test_who_is_not_signed_in_comes_back_to_the_page_that_was_asked_for(site: Site) -> None:
    async with site.visitor() as visitor:
        asked = await visitor.get("/notes?text=a%26b")
        back = await signed_in(visitor, asked.headers["location"])
        page = await visitor.get(back.headers["location"])

    assert (asked.status_code, next_of(asked)) == (303, "/notes?text=a%26b")
    assert (back.status_code, back.headers["location"]) == (303, "/notes?text=a%26b")
    assert (page.status_code, "olivia@acme.test" in page.text) == (200, True)


@pytest.mark.parametrize(("app_env", "secure"), [("production", True), ("local", False), ("testing", False)])
async def test_the_session_is_a_cookie_that_no_script_reads_and_that_dies_with_the_token(
    issuer: tuple[Issuer, str], app_env: str, secure: bool
) -> None:
    async with make_site(*issuer, app_env=app_env).visitor() as visitor:
        begun = await visitor.get("/session/sign-in")
        for name, value in begun.cookies.items():
            visitor.cookies.set(name, value)
        cookies = [begun.headers["set-cookie"]]
        back = await visitor.get(await at_the_issuer(begun))
        cookies += [one for one in back.headers.get_list("set-cookie") if "quittance_session" in one]

    assert len(cookies) == 2
    for cookie in cookies:
        assert cookie.startswith("__Host-") is secure
        flags = {part.strip().partition("=")[0].lower(): part.strip().partition("=")[2] for part in cookie.split(";")}
        assert {"httponly", "samesite", "path", "max-age"} <= set(flags)
        assert ("lax", secure) == (flags["samesite"].lower(), "secure" in flags)
    assert 3500 < int(flags["max-age"]) <= 3600
    assert flags["path"] == "/"


async def test_a_search_that_comes_too_late_leads_to_the_sign_in_though_no_form_may_leave_for_the_issuer(
    site: Site,
) -> None:
    async with site.visitor(token=site.token(expires_in=-60)) as visitor:
        asked = await visitor.get("/notes?text=found")
        begun = await visitor.get(asked.headers["location"])
        back = await visitor.get(await at_the_issuer(begun))

    (allowed,) = re.findall("form-action ([^;]+)", begun.headers["content-security-policy"])
    assert allowed == "'self' https://checkout.example"
    assert (asked.status_code, urlsplit(asked.headers["location"]).netloc) == (303, "")
    assert (begun.status_code, "location" in begun.headers) == (200, False)
    assert leads_to(begun).startswith(f"{site.issuer_url}/authorize?")
    assert back.headers["location"] == "/notes?text=found"


async def test_who_asked_for_no_page_comes_to_the_own_one(site: Site) -> None:
    async with site.visitor() as visitor:
        back = await signed_in(visitor)

    assert back.headers["location"] == "/home"


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "evil",
        "",
        "/session/sign-out",
        "/" + "a" * 3000,
        "/a\r\nSet-Cookie: x=y",
    ],
)
async def test_signing_in_leads_to_nobody_elses_page(site: Site, wanted: str) -> None:
    async with site.visitor() as visitor:
        begun = await visitor.get("/session/sign-in", params={"next": wanted})
        back = await visitor.get(await at_the_issuer(begun))

    assert back.headers["location"] == "/home"


async def test_the_code_flow_carries_state_nonce_and_a_challenge(site: Site) -> None:
    async with site.visitor() as visitor:
        asked = parse_qs(urlsplit(leads_to(await visitor.get("/session/sign-in"))).query)

    assert asked["code_challenge_method"] == ["S256"]
    assert {"state", "nonce", "code_challenge"} <= set(asked)
    assert [f"{ORIGIN}/session/callback"] == asked["redirect_uri"]


@pytest.mark.parametrize("change", ["state", "cookie", "code"])
async def test_a_sign_in_that_this_browser_did_not_begin_is_refused(site: Site, change: str) -> None:
    async with site.visitor() as visitor:
        address = await at_the_issuer(await visitor.get("/session/sign-in"))
        if change == "cookie":
            visitor.cookies.clear()
        else:
            address = re.sub(rf"{change}=[^&]+", f"{change}=forged", address)
        back = await visitor.get(address)

    assert back.status_code == 400
    assert "You are not signed in" in back.text
    assert site.cookie not in visitor.cookies


@pytest.mark.parametrize("named", [(), ("https://evil.example",), ("", ""), ("the issuer", "https://evil.example")])
async def test_an_answer_that_another_issuer_gives_is_refused(site: Site, named: tuple[str, ...]) -> None:
    """Who could make the browser answer one issuer's question with another's code would sign people in as whom they
    like (RFC 9207); this one names itself in every answer.
    """
    async with site.visitor() as visitor:
        address = urlsplit(await at_the_issuer(await visitor.get("/session/sign-in")))
        said = [(name, value) for name, value in parse_qsl(address.query) if name != "iss"]
        said += [("iss", site.issuer_url if one == "the issuer" else one) for one in named]
        back = await visitor.get(f"/session/callback?{urlencode(said)}")

    assert back.status_code == 400
    assert "another sign-in service" in back.text
    assert site.cookie not in visitor.cookies


async def test_a_discovery_document_of_another_issuer_begins_no_sign_in(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    configuration, foreign = issuer_api._configuration, {"issuer": "https://evil.example"}
    monkeypatch.setattr(issuer_api, "_configuration", lambda *of, **at: configuration(*of, **at) | foreign)
    async with site.visitor() as visitor:
        begun = await visitor.get("/session/sign-in")

    assert begun.status_code == 503
    assert "authorize" not in begun.text


async def test_an_issuer_that_does_not_name_itself_may_go_on_so(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    configuration = issuer_api._configuration
    silent = {"authorization_response_iss_parameter_supported": False}
    monkeypatch.setattr(issuer_api, "_configuration", lambda *of, **at: configuration(*of, **at) | silent)
    async with site.visitor() as visitor:
        address = urlsplit(await at_the_issuer(await visitor.get("/session/sign-in")))
        said = [(name, value) for name, value in parse_qsl(address.query) if name != "iss"]
        back = await visitor.get(f"/session/callback?{urlencode(said)}")

    assert back.status_code == 303


async def test_a_token_that_we_would_not_accept_begins_no_session_and_no_loop(site: Site) -> None:
    async with site.visitor() as visitor:
        address = await at_the_issuer(await visitor.get("/session/sign-in"))
        site.app.state.verifier._audience = "somebody-else"
        back = await visitor.get(address)

    assert back.status_code == 400
    assert "a token that we do not accept" in back.text


@pytest.mark.parametrize("issued", [None, 13 * 3600, 500 * 24 * 3600])
async def test_a_token_that_says_no_time_or_is_too_old_begins_no_session_and_no_loop(
    site: Site, monkeypatch: pytest.MonkeyPatch, issued: int | None
) -> None:
    given_issued(site, monkeypatch, seconds_ago=issued)
    async with site.visitor() as visitor:
        back = await signed_in(visitor)

    assert back.status_code == 400
    assert "a token that we do not accept" in back.text
    assert site.cookie not in visitor.cookies


async def test_the_cookie_goes_when_the_session_has_lived_its_hours(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The issuer's token was four hours old, and would have been good for one hour longer than the session."""
    given_issued(site, monkeypatch, seconds_ago=4 * 3600, good_for=9 * 3600)
    async with site.visitor() as visitor:
        back = await signed_in(visitor)

    (cookie,) = [one for one in back.headers.get_list("set-cookie") if "quittance_session" in one]
    assert 8 * 3600 - 60 < int(re.findall("Max-Age=([0-9]+)", cookie)[0]) <= 8 * 3600


def given_issued(site: Site, monkeypatch: pytest.MonkeyPatch, *, seconds_ago: int | None, good_for: int = 3600) -> None:
    """Have the issuer sign tokens that were issued so long ago, or do not say when."""
    key_id, key = next(reversed(site.issuer._keys.items()))

    def sign(claims: dict[str, Any], *, expires_in: int) -> str:
        now = int(time.time())
        issued = {} if seconds_ago is None and "jti" in claims else {"iat": now - (seconds_ago or 0)}
        issued = issued if "jti" in claims else {"iat": now}  # an ID token is as it was
        return jwt.encode(claims | issued | {"exp": now + good_for}, key, algorithm="RS256", headers={"kid": key_id})

    monkeypatch.setattr(site.issuer, "_sign", sign)


async def test_an_issuer_that_does_not_answer_is_said(issuer: tuple[Issuer, str]) -> None:
    site = make_site(*issuer, app_env="testing", oidc_url="http://127.0.0.1:9")
    async with site.visitor() as visitor:
        page = await visitor.get("/session/sign-in")

    assert page.status_code == 503
    assert "The sign-in service does not answer" in page.text


async def test_a_session_that_ends_in_the_middle_of_a_form_loses_nothing(site: Site) -> None:
    expired = site.token(expires_in=-60)
    async with site.visitor(token=expired) as visitor:
        page = await visitor.post("/notes", data={"text": 'a "long" <text>'})
        visitor.cookies.clear()
        visitor.cookies.set(site.cookie, site.token())
        kept = {
            name: html.unescape(value) for name, value in re.findall(r'hidden" name="(\w+)" value="([^"]*)"', page.text)
        }
        again = await visitor.post(re.findall(r'method="post" action="(/notes)"', page.text)[0], data=kept)

    assert (page.status_code, site.kept) == (401, ['olga: a "long" <text>'])
    assert "nothing that you typed is lost" in page.text
    assert again.status_code == 303


async def test_who_signs_in_again_beside_a_form_is_sent_back_to_it(site: Site) -> None:
    async with site.visitor(token=site.token(expires_in=-60)) as visitor:
        page = await visitor.post("/notes", data={"text": "mine"})
        link = html.unescape(re.findall(r'href="(/session/sign-in[^"]+)"', page.text)[0])
        visitor.cookies.clear()
        back = await signed_in(visitor, link)
        parameters = await visitor.get(back.headers["location"])

    assert 'target="_blank"' in page.text
    assert parameters.status_code == 200
    assert "what you typed is still there" in parameters.text


async def test_who_was_refused_at_the_issuer_reads_so_and_may_try_again(site: Site) -> None:
    async with site.visitor() as visitor:
        begun = await visitor.get("/session/sign-in")
        state = parse_qs(urlsplit(leads_to(begun)).query)["state"][0]
        parameters = {"error": "access_denied", "state": state, "iss": site.issuer_url}
        page = await visitor.get("/session/callback", params=parameters)

    assert page.status_code == 400
    assert "The sign-in was not completed." in page.text
    assert '<a href="/session/sign-in">Sign in</a>' in page.text


async def test_what_is_refreshed_by_itself_leads_to_the_sign_in(site: Site) -> None:
    live = {"HX-Request": "true", "HX-Current-URL": f"{ORIGIN}/notes?text=x"}
    async with site.visitor() as visitor:
        answer = await visitor.get("/notes/staff", headers=live)

    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/session/sign-in?next=%2Fnotes%3Ftext%3Dx")


async def test_two_tabs_may_be_at_the_issuer_at_once_and_each_comes_back_to_its_page(site: Site) -> None:
    async with site.visitor() as visitor:
        one, other = [await visitor.get("/session/sign-in", params={"next": path}) for path in ("/notes", "/other")]
        backs = [await visitor.get(await at_the_issuer(begun)) for begun in (one, other)]

    assert [back.headers["location"] for back in backs] == ["/notes", "/other"]
    assert [name for name in visitor.cookies if "sign_in" in name] == []


async def test_who_begins_and_never_comes_back_does_not_gather_cookies(site: Site) -> None:
    async with site.visitor() as visitor:
        for _ in range(9):
            last = await visitor.get("/session/sign-in", params={"next": "/notes"})
        waiting = [name for name in visitor.cookies if "sign_in" in name]
        back = await visitor.get(await at_the_issuer(last))

    assert len(waiting) == 4
    assert back.headers["location"] == "/notes"


async def test_an_issuer_is_asked_for_what_it_needs_to_be_asked_for(issuer: tuple[Issuer, str]) -> None:
    parameters = {"oidc_scope": "openid roles", "oidc_audience": "https://api.example"}
    site = make_site(*issuer, app_env="testing", parameters=parameters)
    async with site.visitor() as visitor:
        asked = parse_qs(urlsplit(leads_to(await visitor.get("/session/sign-in"))).query)

    assert (asked["scope"], asked["audience"]) == (["openid roles"], ["https://api.example"])
