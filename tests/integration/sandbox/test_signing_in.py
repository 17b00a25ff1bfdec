"""Signing in at the issuer with a browser, as Authlib's own client does it; and what is refused."""

import re
from collections.abc import AsyncIterator
from html import unescape
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import jwt
import pytest
from authlib.integrations.starlette_client import OAuth
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.issuer import Client, Issuer, application
from sandbox.issuer.codes import challenge_of

PAGES: Final = "http://pages.test"
CLIENT: Final = Client(client_id="pages", secret="a secret/with:signs", redirect_uri=f"{PAGES}/callback")
ASKED: Final = {
    "response_type": "code",
    "client_id": CLIENT.client_id,
    "redirect_uri": CLIENT.redirect_uri,
    "scope": "openid email",
    "state": "a state",
    "nonce": "a nonce",
    "code_challenge": challenge_of("verifier"),
    "code_challenge_method": "S256",
}


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    return Issuer(issuer="http://issuer.test", audience="quittance")


@pytest.fixture
async def http(issuer: Issuer) -> AsyncIterator[httpx.AsyncClient]:
    """Two sites: the issuer, and one that lets people sign in there through Authlib."""
    app = application(issuer, CLIENT)
    transports = {"http://issuer.test": httpx.ASGITransport(app), PAGES: httpx.ASGITransport(relying(app))}
    async with httpx.AsyncClient(mounts=transports, base_url="http://issuer.test") as client:
        yield client


def relying(issuer: Starlette) -> Starlette:
    oauth = OAuth()
    client: Any = oauth.register(
        "sandbox",
        client_id=CLIENT.client_id,
        client_secret=CLIENT.secret,
        server_metadata_url="http://issuer.test/.well-known/openid-configuration",
        client_kwargs={
            "scope": "openid email",
            "code_challenge_method": "S256",
            "transport": httpx.ASGITransport(issuer),
        },
    )

    async def start(request: Request) -> Response:
        answer: Response = await client.authorize_redirect(request, CLIENT.redirect_uri)
        return answer

    async def callback(request: Request) -> Response:
        return JSONResponse(await client.authorize_access_token(request))

    return Starlette(
        routes=[Route("/start", start), Route("/callback", callback)],
        middleware=[Middleware(SessionMiddleware, secret_key="only here")],
    )


async def picked(http: httpx.AsyncClient, page: httpx.Response, **form: str) -> httpx.Response:
    """Send the page's form."""
    target = re.search(r'<form method="post" action="([^"]+)"', page.text)
    assert target is not None, page.text
    return await http.post(unescape(target[1]), data=form)


async def a_code(http: httpx.AsyncClient, **asked: str) -> str:
    page = await http.get("/authorize", params=ASKED | asked)
    (code,) = parse_qs(urlsplit((await picked(http, page, person="owner")).headers["location"]).query)["code"]
    return code


async def exchanged(http: httpx.AsyncClient, code: str, **form: str) -> httpx.Response:
    proof = {"client_id": CLIENT.client_id, "client_secret": CLIENT.secret, "redirect_uri": CLIENT.redirect_uri}
    order = {"grant_type": "authorization_code", "code": code, "code_verifier": "verifier"}
    return await http.post("/oidc/token", data=proof | order | form)


async def test_authlibs_client_signs_in_whoever_was_picked(http: httpx.AsyncClient, issuer: Issuer) -> None:
    page = await http.get(f"{PAGES}/start", follow_redirects=True)
    back = await picked(http, page, person="admin", workspace="ws-7", sub="u-7", email="seven@acme.test")

    signed_in = (await http.get(back.headers["location"])).json()

    assert signed_in["userinfo"]["sub"] == "u-7"
    assert signed_in["userinfo"]["email"] == "seven@acme.test"
    keys = jwt.PyJWKSet.from_dict(issuer.jwks())
    claims = jwt.decode(signed_in["access_token"], keys.keys[-1], audience="quittance", issuer="http://issuer.test")
    assert (claims["sub"], claims["workspaces"]) == ("u-7", {"ws-7": "admin"})
    assert "platform_role" not in claims


@pytest.mark.parametrize(
    ("person", "claims"),
    [
        ("owner", {"sub": "olivia", "workspaces": {"acme": "owner"}}),
        ("viewer", {"sub": "victor", "workspaces": {"acme": "viewer"}}),
        ("stranger", {"sub": "stan", "workspaces": {}}),
        ("super_admin", {"sub": "sally", "workspaces": {}, "platform_role": "super_admin"}),
    ],
)
async def test_a_person_comes_with_a_name_and_a_role(
    http: httpx.AsyncClient, person: str, claims: dict[str, object]
) -> None:
    page = await http.get("/authorize", params=ASKED)
    (code,) = parse_qs(urlsplit((await picked(http, page, person=person)).headers["location"]).query)["code"]

    token = (await exchanged(http, code)).json()["access_token"]

    assert claims.items() <= jwt.decode(token, options={"verify_signature": False}).items()


async def test_a_code_is_good_once(http: httpx.AsyncClient) -> None:
    code = await a_code(http)
    assert (await exchanged(http, code)).status_code == 200

    again = await exchanged(http, code)

    assert (again.status_code, again.json()) == (400, {"error": "invalid_grant"})


async def test_a_code_that_nobody_was_given_is_refused(http: httpx.AsyncClient) -> None:
    await a_code(http)

    refused = await exchanged(http, "guessed")

    assert (refused.status_code, refused.json()) == (400, {"error": "invalid_grant"})


@pytest.mark.parametrize("wrong", [{"code_verifier": "guessed"}, {"redirect_uri": f"{PAGES}/other"}])
async def test_what_does_not_fit_the_code_is_refused_and_uses_it_up(
    http: httpx.AsyncClient, wrong: dict[str, str]
) -> None:
    code = await a_code(http)

    refused = await exchanged(http, code, **wrong)

    assert (refused.status_code, refused.json()) == (400, {"error": "invalid_grant"})
    assert (await exchanged(http, code)).status_code == 400


@pytest.mark.parametrize("wrong", [{"client_secret": "guessed"}, {"client_id": "other"}])
async def test_another_client_gets_nothing(http: httpx.AsyncClient, wrong: dict[str, str]) -> None:
    code = await a_code(http)

    refused = await exchanged(http, code, **wrong)

    assert (refused.status_code, refused.json()) == (401, {"error": "invalid_client"})


@pytest.mark.parametrize(
    "wrong", [{"redirect_uri": "http://evil.test/"}, {"redirect_uri": f"{PAGES}/callback/.."}, {"client_id": "other"}]
)
async def test_nobody_is_sent_to_an_address_that_is_not_the_clients(
    http: httpx.AsyncClient, wrong: dict[str, str]
) -> None:
    address = f"/authorize?{urlencode(ASKED | wrong)}"

    shown, sent = await http.get(address), await http.post(address, data={"person": "owner"})

    assert (shown.status_code, sent.status_code) == (400, 400)
    assert "Nobody was signed in" in shown.text
    assert "location" not in {**shown.headers, **sent.headers}


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "email"}, "invalid_scope"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"),
    ],
)
async def test_a_request_without_proof_of_possession_is_sent_back(
    http: httpx.AsyncClient, wrong: dict[str, str], error: str
) -> None:
    sent_back = await http.get("/authorize", params=ASKED | wrong)

    answered = parse_qs(urlsplit(sent_back.headers["location"]).query)
    assert sent_back.headers["location"].startswith(f"{CLIENT.redirect_uri}?")
    assert (answered["error"], answered["state"]) == ([error], ["a state"])
    assert "code" not in answered


async def test_a_form_that_names_nobody_is_shown_again_with_what_was_typed(http: httpx.AsyncClient) -> None:
    page = await http.get("/authorize", params=ASKED)

    again = await picked(http, page, person="viewer", workspace='"><b>no', sub="u-7")

    assert again.status_code == 422
    assert 'role="alert"' in again.text
    assert 'value="&#34;&gt;&lt;b&gt;no"' in again.text
    assert 'value="u-7"' in again.text
    assert (await picked(http, again, person="viewer", workspace="ws-7")).status_code == 303
