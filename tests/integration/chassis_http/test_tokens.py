"""Tokens: the right one is let in, every other one is a 401 problem and never a 500."""

import base64
import json
import re
import time
from typing import Any

import httpx
import jwt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.problems import Problem
from chassis.web.auth import TokenVerifier
from chassis.web.jwks import Jwks
from tests.fakes.issuer import AUDIENCE, ISSUER, private_key
from tests.integration.chassis_http.bad_tokens import BAD_TOKENS, NOW, _claims
from tests.integration.chassis_http.conftest import FRONT_END, Service
from tests.rounds import rounds


async def test_a_good_token_says_who_calls(service: Service) -> None:
    token = service.issuer.mint(workspaces={"ws-1": "owner", "ws-2": "viewer"})

    answer = await service.as_caller("GET", "/v1/me", token=token)

    assert answer.status_code == 200
    assert answer.json()["workspaces"] == {"ws-1": "owner", "ws-2": "viewer"}


async def test_an_elliptic_key_is_as_good(service: Service) -> None:
    service.issuer.kids = ["rsa-1", "ec-1"]

    answer = await service.as_caller("GET", "/v1/me", token=service.issuer.mint(kid="ec-1"))

    assert answer.status_code == 200


async def test_a_token_without_a_key_id_is_good_where_there_is_one_key(service: Service) -> None:
    token = jwt.encode(_claims(), private_key("rsa-1"), "RS256")  # type: ignore[arg-type]

    assert (await service.as_caller("GET", "/v1/me", token=token)).status_code == 200


@pytest.mark.parametrize("name", BAD_TOKENS)
async def test_a_bad_token_is_a_401_problem(service: Service, name: str) -> None:
    token = BAD_TOKENS[name](service.issuer)

    headers = {b"authorization": b"Bearer " + token.encode("latin-1")}
    answer = await service.client.get("/v1/me", headers=headers)

    _assert_unauthenticated(answer)
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def _assert_unauthenticated(answer: httpx.Response) -> None:
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "https://quittance.dev/problems/unauthenticated"
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Authorization", "")],
        [("Authorization", "Bearer")],
        [("Authorization", "Basic dTpw")],
        [("Cookie", "quittance_session=")],
        [("Cookie", 'quittance_session="; other=\\')],
    ],
)
async def test_no_token_is_a_401_problem(service: Service, headers: list[tuple[str, str]]) -> None:
    _assert_unauthenticated(await service.client.get("/v1/me", headers=headers))


async def test_two_tokens_are_ambiguous(service: Service) -> None:
    token = f"Bearer {service.issuer.mint()}"

    _assert_unauthenticated(
        await service.client.get("/v1/me", headers=[("Authorization", token), ("Authorization", token)])
    )


async def test_a_clock_that_is_slightly_off_is_forgiven(service: Service) -> None:
    token = service.issuer.mint(exp=int(time.time()) - 10, nbf=int(time.time()) + 10)

    assert (await service.as_caller("GET", "/v1/me", token=token)).status_code == 200


async def test_an_unknown_role_gives_no_rights_and_takes_none(service: Service) -> None:
    token = service.issuer.mint(workspaces={"ws-1": "emperor", "ws-2": "admin", "ws-3": ["owner"], "ws-4": None})

    answer = await service.as_caller("GET", "/v1/me", token=token)

    assert answer.json()["workspaces"] == {"ws-2": "admin"}


@pytest.mark.parametrize(
    ("path", "claims", "expected"),
    [
        ("/v1/staff", {}, 403),
        ("/v1/staff", {"platform_role": "admin"}, 403),
        ("/v1/staff", {"platform_role": "super_admin"}, 200),
        ("/v1/scoped", {}, 403),
        ("/v1/scoped", {"scope": "workspaces:writer other"}, 403),
        ("/v1/scoped", {"scope": "resources:write workspaces:write"}, 200),
        ("/v1/scoped", {"platform_role": "super_admin"}, 403),
    ],
)
async def test_staff_and_scopes_open_what_is_theirs(
    service: Service, path: str, claims: dict[str, Any], expected: int
) -> None:
    answer = await service.as_caller("GET", path, token=service.issuer.mint(**claims))

    assert answer.status_code == expected
    assert expected == 200 or answer.json()["type"].endswith("/forbidden")


async def test_the_session_cookie_is_as_good_for_reading(service: Service) -> None:
    answer = await service.client.get("/v1/me", headers={"Cookie": f"quittance_session={service.issuer.mint()}"})

    assert answer.status_code == 200


HOUR = 3600


@pytest.mark.parametrize(
    ("issued", "status"),
    [
        ({"iat": NOW - 11 * HOUR}, 200),
        ({"iat": float(NOW - 11 * HOUR) + 0.5}, 200),
        ({"iat": NOW - 12 * HOUR - 60}, 401),
        ({"iat": NOW - 400 * 24 * HOUR}, 401),
        ({"iat": None}, 401),
        ({"iat": True}, 401),
    ],
)
async def test_a_session_lives_twelve_hours_from_when_its_token_was_issued(
    service: Service, issued: dict[str, Any], status: int
) -> None:
    """However long the token is good for; as a bearer, a program's, it is good until it expires."""
    token = service.issuer.mint(exp=int(time.time()) + 500 * 24 * HOUR, **issued)

    session = await service.client.get("/v1/me", headers={"Cookie": f"quittance_session={token}"})
    bearer = await service.as_caller("GET", "/v1/me", token=token)

    assert (session.status_code, bearer.status_code) == (status, 200)


async def test_who_is_refused_stands_in_the_log_with_address_and_reason(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    expired, own = service.issuer.mint(sub="olga", exp=NOW - 60), service.issuer.mint(sub="mira")
    from_there = {"X-Forwarded-For": "203.0.113.7\t, 10.0.0.1"}

    await service.client.get("/v1/me", headers=from_there)
    await service.as_caller("GET", "/v1/me", token=expired)
    await service.as_caller("GET", "/v1/staff", token=own)
    await service.client.post(
        "/v1/me", headers={"Cookie": f"quittance_session={own}", "Origin": "https://evil.example"}
    )

    out = capsys.readouterr().out
    lines = [re.sub(r" +", " ", line) for line in out.splitlines() if "refused" in line]
    said = [("status=401", "There is no token."), ("claimed_subject=olga", "has expired"), ("subject=mira", "staff")]
    for line, (who, why) in zip(lines, [*said, ("cross-site", "another site")], strict=True):
        assert who in line
        assert why in line
        assert "address=127.0.0.1" in line
    assert "203.0.113.7, 10.0.0.1" in lines[0]
    assert own not in out
    assert expired not in out


@pytest.mark.parametrize(
    "origin", [None, "null", "https://evil.example", FRONT_END, "https://billing.example.com.evil.example"]
)
async def test_another_site_cannot_use_the_session_cookie(service: Service, origin: str | None) -> None:
    headers = {"Cookie": f"quittance_session={service.issuer.mint()}"} | ({"Origin": origin} if origin else {})

    answer = await service.client.post("/v1/me", headers=headers)

    assert (answer.status_code, service.calls) == (403, [])
    assert answer.json()["type"].endswith("/cross-site")


@pytest.mark.parametrize("own", ["https://billing.example.com", "http://127.0.0.1:{port}", "https://127.0.0.1:{port}"])
async def test_our_own_pages_can(service: Service, own: str) -> None:
    headers = {"Cookie": f"quittance_session={service.issuer.mint()}", "Origin": own.format(port=service.port)}

    assert (await service.client.post("/v1/me", headers=headers)).status_code == 200


@pytest.mark.parametrize(("issuer", "audience"), [("", AUDIENCE), (ISSUER, "")])
def test_without_issuer_or_audience_no_verifier_is_made(issuer: str, audience: str) -> None:
    with pytest.raises(ValueError, match="must be set"):
        TokenVerifier(Jwks("https://issuer.test/jwks"), issuer, audience)


NO_KEY_IDS = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=2)
)


@settings(
    max_examples=rounds(50, every=200), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(header=NO_KEY_IDS, payload=st.binary(max_size=40), signature=st.binary(max_size=40))
async def test_whatever_is_sent_is_refused_as_unauthenticated(
    service: Service, header: Any, payload: bytes, signature: bytes
) -> None:
    verifier = service.app.state.verifier
    parts = [json.dumps({"alg": "RS256", "kid": header}).encode(), payload, signature]

    with pytest.raises(Problem) as refusal:
        await verifier.verify(".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts))

    assert refusal.value.status == 401
