"""The issuer's keys: rotated, unreachable, hanging, under attack."""

import asyncio
import time

import pytest

from chassis.problems import Problem
from chassis.web import jwks as jwks_module
from chassis.web.jwks import Jwks
from tests.fakes.issuer import Issuer
from tests.integration.chassis_http.conftest import Service


class Clock:
    """Monotonic seconds, moved by the test."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def jwks(issuer: Issuer, clock: Clock) -> Jwks:
    return Jwks(issuer.url, clock=clock)


async def test_a_hundred_callers_at_the_start_share_one_fetch(service: Service) -> None:
    service.issuer.delay = 0.1
    token = service.issuer.mint()

    answers = await asyncio.gather(*(service.as_caller("GET", "/v1/me", token=token) for _ in range(100)))

    assert {answer.status_code for answer in answers} == {200}
    assert service.issuer.requests == 1


async def test_keys_are_fetched_again_after_their_time(jwks: Jwks, issuer: Issuer, clock: Clock) -> None:
    await jwks.key("rsa-1")
    clock.now += 299
    await jwks.key("rsa-1")
    assert issuer.requests == 1

    clock.now += 2
    await jwks.key("rsa-1")

    assert issuer.requests == 2


async def test_a_withdrawn_key_is_forgotten_with_the_next_fetch(jwks: Jwks, issuer: Issuer, clock: Clock) -> None:
    await jwks.key("rsa-1")
    issuer.kids = ["rsa-2"]

    clock.now += 301

    assert await jwks.key("rsa-1") is None


async def test_a_new_key_is_found_without_waiting_for_the_old_ones_time(
    jwks: Jwks, issuer: Issuer, clock: Clock
) -> None:
    await jwks.key("rsa-1")
    issuer.kids = ["rsa-1", "rsa-2"]

    clock.now += 11

    assert await jwks.key("rsa-2") is not None


async def test_invented_key_ids_cost_one_fetch_per_interval(jwks: Jwks, issuer: Issuer, clock: Clock) -> None:
    await jwks.key("rsa-1")
    clock.now += 11

    found = await asyncio.gather(*(jwks.key(f"invented-{number}") for number in range(500)))

    assert set(found) == {None}
    assert issuer.requests == 2


async def test_under_that_attack_good_callers_are_not_held_up(service: Service) -> None:
    jwks = Jwks(service.issuer.url, retry_seconds=0)
    service.recognises_callers_with(jwks)
    await jwks.key("rsa-1")
    service.issuer.delay = 2
    attack = asyncio.create_task(jwks.key("invented"))
    await asyncio.sleep(0.05)

    began = time.perf_counter()
    answer = await service.as_caller("GET", "/v1/me", token=service.issuer.mint())

    assert answer.status_code == 200
    assert time.perf_counter() - began < 1
    attack.cancel()


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, None),
        (404, None),
        (302, None),
        (200, b""),
        (200, b"\xff\xfe"),
        (200, b"[]"),
        (200, b"null"),
        (200, b'{"keys": null}'),
        (200, b'{"keys": []}'),
        (
            200,
            b'{"keys": [null, 7, {"kty": "oct", "k": "c2VjcmV0"}, {"kty": "RSA"}, {"kty": "RSA", "n": "!", "e": 1}]}',
        ),
        (200, b'{"keys": ' + b"[" * 100_000),
        (200, b" " * 300_000),
    ],
)
async def test_with_a_broken_issuer_the_old_keys_stay(
    jwks: Jwks, issuer: Issuer, clock: Clock, status: int, body: bytes | None
) -> None:
    await jwks.key("rsa-1")
    issuer.status, issuer.body = status, body

    clock.now += 301

    assert await jwks.key("rsa-1") is not None
    assert await jwks.key("rsa-1") is not None
    assert issuer.requests == 2


async def test_a_hanging_issuer_holds_up_one_caller_for_a_bounded_time(issuer: Issuer, clock: Clock) -> None:
    jwks = Jwks(issuer.url, clock=clock, timeout_seconds=0.3)
    await jwks.key("rsa-1")
    clock.now += 301
    issuer.delay = 5

    async def waited() -> float:
        began = time.perf_counter()
        assert await jwks.key("rsa-1") is not None
        return time.perf_counter() - began

    times = sorted(await asyncio.gather(*(waited() for _ in range(50))))

    assert times[-1] < 1
    assert times[-2] < 0.2


async def test_a_caller_who_leaves_does_not_take_the_fetch_with_him(jwks: Jwks, issuer: Issuer) -> None:
    issuer.delay = 0.2
    leaving, staying = asyncio.create_task(jwks.key("rsa-1")), asyncio.create_task(jwks.key("rsa-1"))
    await asyncio.sleep(0.05)

    leaving.cancel()

    assert await staying is not None


async def test_without_any_keys_nobody_is_called_a_stranger(service: Service) -> None:
    service.issuer.status = 503

    answer = await service.as_caller("GET", "/v1/me", token=service.issuer.mint())

    assert answer.status_code == 503
    assert answer.json()["type"] == "https://quittance.dev/problems/issuer-unavailable"
    assert int(answer.headers["retry-after"]) >= 1
    assert service.issuer.url not in answer.text


async def test_garbage_is_refused_without_asking_the_issuer(service: Service) -> None:
    service.issuer.status = 503

    assert (await service.as_caller("GET", "/v1/me", token="garbage")).status_code == 401
    assert service.issuer.requests == 0


async def test_an_issuer_that_comes_back_is_noticed(service: Service, clock: Clock) -> None:
    service.recognises_callers_with(Jwks(service.issuer.url, clock=clock))
    service.issuer.status = 503
    assert (await service.as_caller("GET", "/v1/me", token=service.issuer.mint())).status_code == 503

    service.issuer.recover()
    clock.now += 1.1

    assert (await service.as_caller("GET", "/v1/me", token=service.issuer.mint())).status_code == 200


async def test_a_dead_address_is_an_issuer_that_is_down(clock: Clock) -> None:
    with pytest.raises(Problem) as refusal:
        await Jwks("http://127.0.0.1:1/jwks", clock=clock).key("rsa-1")

    assert refusal.value.status == 503


async def test_keys_that_are_too_weak_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    from cryptography.hazmat.primitives.asymmetric import rsa
    from jwt.algorithms import RSAAlgorithm

    weak = RSAAlgorithm.to_jwk(
        rsa.generate_private_key(public_exponent=65537, key_size=1024).public_key(), as_dict=True
    )

    with pytest.raises(jwks_module.JwksUnusable):
        jwks_module._keys_by_id(str({"keys": [weak | {"kid": "weak"}]}).replace("'", '"').encode())
