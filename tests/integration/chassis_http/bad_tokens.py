"""Tokens that nobody may come in with, each made from a good one by what is wrong with it."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import jwt
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.fakes.issuer import AUDIENCE, ISSUER, Issuer, private_key


def _claims(**changes: Any) -> dict[str, Any]:
    return {"iss": ISSUER, "aud": AUDIENCE, "exp": int(time.time()) + 60, "sub": "user-1"} | changes


def _segment(data: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(data).encode()).rstrip(b"=").decode()


def _hs256_with_the_public_key() -> str:
    """The classic confusion: the public key, which everybody has, taken as the secret of an HMAC."""
    pem = private_key("rsa-1").public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signed = f"{_segment({'alg': 'HS256', 'typ': 'JWT', 'kid': 'rsa-1'})}.{_segment(_claims())}"
    mac = hmac.new(pem, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def _rs512() -> str:
    return jwt.encode(_claims(), private_key("rsa-1"), "RS512", headers={"kid": "rsa-1"})  # type: ignore[arg-type]


def _tampered(issuer: Issuer) -> str:
    header, _, signature = issuer.mint().split(".")
    return f"{header}.{_segment(_claims(platform_role='super_admin'))}.{signature}"


def _unverified(header: dict[str, Any], signature: str = "c2ln") -> str:
    return f"{_segment(header)}.{_segment(_claims())}.{signature}"


def _signed(payload: bytes) -> str:
    return jwt.api_jws.encode(payload, private_key("rsa-1"), "RS256", headers={"kid": "rsa-1"})  # type: ignore[arg-type]


NOW = int(time.time())


BAD_TOKENS: dict[str, Callable[[Issuer], str]] = {
    "unsigned": lambda _: _unverified({"alg": "none", "kid": "rsa-1"}, signature=""),
    "unsigned, in capitals": lambda _: _unverified({"alg": "NONE", "kid": "rsa-1"}, signature=""),
    "hs256 with the public key": lambda _: _hs256_with_the_public_key(),
    "an algorithm that is not pinned": lambda _: _rs512(),
    "no algorithm": lambda _: _unverified({"kid": "rsa-1"}),
    "an algorithm that is a list": lambda _: _unverified({"alg": ["RS256"], "kid": "rsa-1"}),
    "an elliptic algorithm with an rsa key": lambda _: _unverified({"alg": "ES256", "kid": "rsa-1"}),
    "a signature of another key": lambda i: i.mint(kid="rsa-2", headers={"kid": "rsa-1"}),
    "an unknown key": lambda i: i.mint(kid="rsa-2"),
    "a key id that is no text": lambda _: _unverified({"alg": "RS256", "kid": 7}),
    "a key id without end": lambda _: _unverified({"alg": "RS256", "kid": "k" * 9999}),
    "changed claims": _tampered,
    "another audience": lambda i: i.mint(aud="somebody-else"),
    "another issuer": lambda i: i.mint(iss="https://evil.example"),
    "expired": lambda i: i.mint(exp=NOW - 60),
    "not valid yet": lambda i: i.mint(nbf=NOW + 86_400),
    "issued in the future": lambda i: i.mint(iat=NOW + 86_400),
    "no subject": lambda i: i.mint(sub=None),
    "an empty subject": lambda i: i.mint(sub=""),
    "a subject with NUL": lambda i: i.mint(sub="a\x00b"),
    "a subject with a surrogate": lambda i: i.mint(sub="\ud800"),
    "a subject without end": lambda i: i.mint(sub="s" * 256),
    "no expiry": lambda i: i.mint(exp=None),
    "no audience": lambda i: i.mint(aud=None),
    "no issuer": lambda i: i.mint(iss=None),
    "an expiry that is text": lambda i: i.mint(exp="tomorrow"),
    "an endless expiry": lambda i: i.mint(exp=float("inf")),
    "an expiry that is no number": lambda i: i.mint(exp=float("nan")),
    "an audience that is an object": lambda i: i.mint(aud={"quittance": 1}),
    "workspaces that are a list": lambda i: i.mint(workspaces=["ws-1"]),
    "an e-mail that is a list": lambda i: i.mint(email=["a@b.example"]),
    "a scope that is a list": lambda i: i.mint(scope=["workspaces:write"]),
    "a critical header": lambda i: i.mint(headers={"crit": ["x"]}),
    "claims that are a list": lambda _: _signed(b"[]"),
    "claims that are no text": lambda _: _signed(b"\xff"),
    "claims nested without end": lambda _: _signed(b"[" * 5000),
    "an expiry of five thousand digits": lambda _: _signed(b'{"exp":' + b"9" * 5000 + b"}"),
    "a header nested without end": lambda _: f"{base64.urlsafe_b64encode(b'[' * 6000).decode()}.e30.c2ln",
    "garbage": lambda _: "garbage",
    "two dots": lambda _: "..",
    "no base64": lambda _: "!!!.???.###",
    "huge": lambda _: "a" * 20_000,
    "other script": lambda _: "ÿþý",
}
