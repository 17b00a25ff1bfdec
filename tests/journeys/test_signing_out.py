"""Who signs out is signed out of every service: neither the cookie nor a copy of its token opens anything any more."""

import time

import httpx

from sandbox.driver import Driver
from sandbox.shop import bearer
from sandbox.stack import EmbeddedStack
from tests.seen import problem_of

STAFF = {"sub": "sandra", "email": "sandra@quittance.test", "platform_role": "super_admin"}
WITHIN_SECONDS = 2.0


class Copied:
    """A session's token, in the browser that has it and in the hands of somebody who copied it."""

    def __init__(self, driver: Driver, token: str) -> None:
        self._driver = driver
        self._token = token

    async def answers(self) -> dict[str, int]:
        """What each service says to it as a cookie and as a bearer's."""
        stack = self._driver.stack
        urls = {
            "catalog": f"{stack.catalog_url}/v1/admin/addons",
            "purchases": f"{stack.purchases_url}/v1/admin/purchases",
            "notifier": f"{stack.pages_url}/admin/parked-mails",
        }
        cookie = {"Cookie": f"quittance_session={self._token}"}
        return {
            f"{service} {kind}": status_of(await self._driver.http.get(url, headers=headers))
            for service, url in urls.items()
            for kind, headers in (("cookie", cookie), ("bearer", bearer(self._token)))
        }

    async def sign_out(self) -> httpx.Response:
        """By the button of a page, on the pages' one origin."""
        pages = self._driver.stack.pages_url
        headers = {"Cookie": f"quittance_session={self._token}", "Origin": pages}
        return await self._driver.http.post(f"{pages}/session/sign-out", headers=headers)


def status_of(answer: httpx.Response) -> int:
    """As an API says it: a page leads who is not signed in to where one signs in."""
    is_led_away = answer.headers.get("location", "").startswith("/session/sign-in")
    return 401 if is_led_away else answer.status_code


async def a_session(driver: Driver) -> Copied:
    answer = await driver.http.post(f"{driver.stack.issuer_url}/token", json=STAFF)
    return Copied(driver, str(answer.json()["access_token"]))


async def test_after_signing_out_no_service_takes_the_token(driver: Driver) -> None:
    session, another = await a_session(driver), await a_session(driver)
    before = await session.answers()

    left = await session.sign_out()
    began = time.monotonic()
    await driver.until(lambda: _all_refused(session), "every service refuses the token", seconds=WITHIN_SECONDS)
    took = time.monotonic() - began

    assert set(before.values()) == {200}
    assert left.status_code in {200, 303}
    assert took < WITHIN_SECONDS
    assert set((await another.answers()).values()) == {200}


async def test_a_service_that_starts_later_does_not_take_it_either(driver: Driver, stack: EmbeddedStack) -> None:
    session = await a_session(driver)
    await session.sign_out()
    await driver.settle()

    await stack.restart("catalog")

    refused = await driver.http.get(f"{driver.stack.catalog_url}/v1/admin/addons", headers=bearer(session._token))
    assert (refused.status_code, problem_of(refused)) == (401, "unauthenticated")
    assert "signing out" in refused.json()["detail"]


async def test_who_has_no_session_ends_none(driver: Driver) -> None:
    """A forged cookie leaves nothing on the topic."""
    forged = Copied(driver, "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.")

    answer = await forged.sign_out()

    assert answer.status_code in {200, 303}


async def _all_refused(session: Copied) -> bool:
    return set((await session.answers()).values()) == {401}
