"""A keyboard, and nobody's mouse."""

from typing import Final

from playwright.async_api import Locator, Page

_ENOUGH: Final = 120
_IS_FOCUSED: Final = "element => element === document.activeElement"
_SHOWS_FOCUS: Final = """element => {
    const seen = getComputedStyle(element);
    return (seen.outlineStyle !== 'none' && parseFloat(seen.outlineWidth) > 0) || seen.boxShadow !== 'none';
}"""


class Keys:
    """Reaches things by Tab alone, and insists that one sees where one is."""

    def __init__(self, page: Page) -> None:
        self._keyboard = page.keyboard

    async def to(self, target: Locator) -> None:
        """Tab on until `target` has the focus."""
        for _ in range(_ENOUGH):
            if await target.evaluate(_IS_FOCUSED):
                assert await target.evaluate(_SHOWS_FOCUS), f"one does not see the focus on {target}"
                return
            await self._keyboard.press("Tab")
        raise AssertionError(f"{target} cannot be reached by Tab")

    async def press(self, target: Locator, *, key: str = "Enter") -> None:
        """Go to a button, link or summary and press it."""
        await self.to(target)
        await self._keyboard.press(key)

    async def type_into(self, target: Locator, text: str) -> None:
        """Go to a field and write over what is in it."""
        await self.to(target)
        await self._keyboard.press("Control+a")
        await self._keyboard.press("Delete")
        await self._keyboard.type(text)

    async def choose(self, radio: Locator) -> None:
        """Go to the radio button's group, then through it with the arrows."""
        name = await radio.get_attribute("name")
        chosen = radio.page.locator(f"input[name='{name}']:checked")
        await self.to(chosen)
        for _ in range(_ENOUGH):
            if await radio.is_checked():
                return
            await self._keyboard.press("ArrowDown")
        raise AssertionError(f"{radio} cannot be chosen with the arrows")
