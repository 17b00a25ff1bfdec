"""One running stack and one Chromium for all; each test opens browsers of its own, and none may have complaints."""

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.async_api import Browser, BrowserContext, async_playwright, expect

from sandbox.driver import Driver
from tests.browser.looks import HEIGHT, PICTURES, WIDE
from tests.browser.people import Visitor
from tests.product import driver, stack

__all__ = ["driver", "stack"]

PATIENCE_MS: Final = 15_000
FAILED: Final = pytest.StashKey[bool]()
Visit = Callable[..., Awaitable[Visitor]]


@pytest.fixture(scope="package")
async def chromium() -> AsyncIterator[Browser]:
    """Debian's; nothing is downloaded."""
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert executable, "there is no Chromium here: apt-get install chromium"
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=arguments)
        yield browser
        await browser.close()


@pytest.fixture(autouse=True)
async def empty_shelf(driver: Driver) -> None:
    """What other tests sell, or made to be sold, is gone: pages and lists hold what the test is about."""
    for addon in (await driver.staff("GET", "/v1/admin/addons"))["items"]:
        await driver.withdraw_addon(addon)
    await driver.settle()


@pytest.fixture
async def visit(chromium: Browser, driver: Driver, request: pytest.FixtureRequest) -> AsyncIterator[Visit]:
    """`await visit()`: somebody opens a browser. At the end nobody's browser has anything against a page."""
    visitors: list[Visitor] = []

    async def visit(
        *, width: int = WIDE, dark: bool = False, javascript: bool = True, locale: str = "en-GB", zone: str = "UTC"
    ) -> Visitor:
        context = await chromium.new_context(
            viewport={"width": width, "height": HEIGHT},
            color_scheme="dark" if dark else "light",
            java_script_enabled=javascript,
            locale=locale,
            timezone_id=zone,
        )
        context.set_default_timeout(PATIENCE_MS)
        visitor = Visitor(context, await context.new_page(), driver.stack)
        visitor.watch()
        visitors.append(visitor)
        return visitor

    yield visit
    for number, visitor in enumerate(visitors):
        if request.node.stash.get(FAILED, False):
            await _photograph(visitor.context, PICTURES / "failed" / f"{request.node.name[:80]}-{number}")
        await visitor.context.close()
    assert [complaint for visitor in visitors for complaint in visitor.complaints] == []


async def _photograph(context: BrowserContext, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    for number, page in enumerate(context.pages):
        await page.screenshot(path=path.with_name(f"{path.name}-{number}.png"), full_page=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Remembers what failed, for the pictures."""
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report
