"""The sandbox as a process: its command line, its end, and two in one program."""

import asyncio
import signal
import sys
import time
from contextlib import suppress

import httpx

from sandbox.ports import free_port
from sandbox.stripe.app import create_app
from sandbox.stripe.control import StripeControl
from tests.integration.stripe_sandbox.conftest import Receiver, until_open

CURL = ("sk_test_curl", "")


async def started(*arguments: str) -> tuple[asyncio.subprocess.Process, str]:
    """A sandbox of its own, and its address."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox.stripe", "--port", str(port), *arguments
    )
    await until_open(port)
    return process, f"http://127.0.0.1:{port}"


async def stopped(process: asyncio.subprocess.Process) -> float:
    """Ask it to end, and say how many seconds that took."""
    begun = time.monotonic()
    process.send_signal(signal.SIGTERM)
    await asyncio.wait_for(process.wait(), timeout=10)
    return time.monotonic() - begun


async def test_an_endpoint_of_the_command_line_hears_every_event_in_its_version(receiver: Receiver) -> None:
    options = ("--endpoint", receiver.url, "--secret", "whsec_a", "--secret", "whsec_b", "--api-version", "2024-06-20")
    process, url = await started(*options)

    async with StripeControl(url) as control, httpx.AsyncClient(base_url=url, auth=CURL) as curl:
        await curl.post("/v1/customers")
        assert await control.quiet()
    await stopped(process)

    ((_, signature),) = receiver.received
    assert receiver.events[0]["api_version"] == "2024-06-20"
    assert signature.count("v1=") == 2


async def test_it_ends_quickly_with_a_request_and_a_webhook_under_way() -> None:
    process, url = await started()
    async with StripeControl(url) as control, httpx.AsyncClient(base_url=url, auth=CURL) as curl:
        await control.register_endpoint("http://127.0.0.1:1/closed")
        await curl.post("/v1/customers")
        await control.fault("hang_after", operation="customers.list", seconds=60)
        hanging = asyncio.create_task(curl.get("/v1/customers", timeout=60))
        await asyncio.sleep(0.2)

        assert await stopped(process) < 3

        with suppress(httpx.TransportError):
            await hanging


async def test_two_sandboxes_in_one_program_know_nothing_of_each_other() -> None:
    first, second = (
        httpx.AsyncClient(transport=httpx.ASGITransport(app=create_app()), base_url="http://stripe.test", auth=CURL)
        for _ in range(2)
    )

    await first.post("/v1/customers")

    assert [len((await one.get("/v1/customers")).json()["data"]) for one in (first, second)] == [1, 0]
