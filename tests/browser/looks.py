"""How a page looks and reads: no violation that axe knows, no sideways scrolling, and a picture for us to look at."""

from pathlib import Path
from typing import Final, Literal

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

from tests.browser.people import Visitor

PICTURES: Final = Path(__file__).parents[2] / "screenshots"
NARROW: Final = 360
WIDE: Final = 1440
HEIGHT: Final = 900
Scheme = Literal["light", "dark"]
LOOKS: Final[tuple[tuple[int, Scheme], ...]] = ((NARROW, "light"), (NARROW, "dark"), (WIDE, "dark"), (WIDE, "light"))
READ: Final[frozenset[tuple[int, Scheme]]] = frozenset({(NARROW, "dark"), (WIDE, "light")})
"""Where axe reads: both widths and both schemes in two runs, which take a second each."""
_RULES: Final = {"resultTypes": ["violations"]}


async def look_at(visitor: Visitor, name: str, *, page: Page | None = None) -> None:
    """A page as it is now, at both widths, light and dark. Says what is wrong with it, with the elements."""
    page = page or visitor.page
    before = page.viewport_size
    try:
        for width, scheme in LOOKS:
            await _look(page, f"{name}-{width}-{scheme}", width=width, scheme=scheme)
    finally:
        await page.emulate_media(color_scheme="light")
        if before:
            await page.set_viewport_size(before)


async def fits(page: Page) -> None:
    """At both widths: nothing makes it scroll sideways, and nothing stands out of its card, row or notice."""
    before = page.viewport_size
    for width in (NARROW, WIDE):
        await page.set_viewport_size({"width": width, "height": HEIGHT})
        complaints = await _wider_than_the_window(page) + await _wider_than_their_box(page)
        assert not complaints, "\n".join((f"{page.url} at {width}", *complaints))
    if before:
        await page.set_viewport_size(before)


async def _look(page: Page, name: str, *, width: int, scheme: Scheme) -> None:
    await page.set_viewport_size({"width": width, "height": HEIGHT})
    await page.emulate_media(color_scheme=scheme)
    PICTURES.mkdir(exist_ok=True)
    await page.screenshot(path=PICTURES / f"{name}.png", full_page=True)
    complaints = await _wider_than_the_window(page)
    if (width, scheme) in READ:
        complaints += await violations(page)
    assert not complaints, "\n".join((name, *complaints))


async def violations(page: Page) -> list[str]:
    """What axe has against the page, an element each."""
    found = (await Axe().run(page, options=_RULES)).response["violations"]
    return [f"{one['id']}: {node['html'][:200]}: {node['failureSummary']}" for one in found for node in one["nodes"]]


async def _wider_than_the_window(page: Page) -> list[str]:
    """Empty when the page fits; else the elements that stand out."""
    wide: list[str] = await page.evaluate(
        """() => document.documentElement.scrollWidth <= window.innerWidth ? [] :
        ['it scrolls sideways', ...[...document.querySelectorAll('body *')]
            .filter(element => element.getBoundingClientRect().right > window.innerWidth + 1)
            .map(element => element.outerHTML.slice(0, 120))]"""
    )
    return wide


async def _wider_than_their_box(page: Page) -> list[str]:
    """What stands out of a card, a row, a notice or a group of fields."""
    wide: list[str] = await page.evaluate(
        """() => [...document.querySelectorAll('.card, .row, .notice, fieldset, .actions')].flatMap(box =>
            [...box.querySelectorAll('*')].filter(element => !element.closest('.visually-hidden')
                && element.getBoundingClientRect().right > box.getBoundingClientRect().right + 1)
            .map(element => element.outerHTML.slice(0, 120)))"""
    )
    return wide
