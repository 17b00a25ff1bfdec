"""Somebody with a browser: who they are at the issuer, how they sign in there, and what must never happen to them."""

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, ConsoleMessage, Locator, Page, Request, Response, WebError

from sandbox.description import Description
from sandbox.shop import Shop
from tests.browser.keys import Keys

_SAID_OF_EVERY_REFUSAL: Final = "Failed to load resource: the server responded with a status of "
_PARTS: Final = frozenset({"stylesheet", "script", "image", "font"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """`role` as the issuer's page names it: owner, admin, editor, viewer, stranger or super_admin."""

    role: str
    sub: str
    email: str
    workspace: str = ""


STAFF: Final = Person(role="super_admin", sub="staff-1", email="staff@quittance.test")


def member_of(shop: Shop, role: str = "owner") -> Person:
    """The shop's owner, or a colleague."""
    if role == "owner":
        return Person(role=role, sub=shop.owner_id, email=shop.owner_email, workspace=shop.workspace_id)
    return Person(role=role, sub=f"{role}-1", email=f"{role}@acme.test", workspace=shop.workspace_id)


def services(shop: Shop) -> str:
    """The path of the page where its buyers buy."""
    return f"/app/{shop.workspace_id}/billing/addons"


def billing(shop: Shop) -> str:
    """The path of its plan."""
    return f"/app/{shop.workspace_id}/settings/billing"


@dataclass
class Visitor:
    """One browser; `complaints` are what the browser held against the pages."""

    context: BrowserContext
    page: Page
    stack: Description
    complaints: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Note broken policies, script errors, missing parts, and requests to anybody whom the page must not ask."""
        self.context.on("console", self._console)
        self.context.on("weberror", self._error)
        self.context.on("request", self._request)
        self.context.on("response", self._response)

    async def open(self, path: str) -> None:
        """A page of ours, as from a bookmark."""
        await self.page.goto(f"{self.stack.pages_url}{path}")

    async def sign_in(self, person: Person, *, at: str) -> None:
        """Ask for the page `at`, be sent to the issuer, pick the person there, and come back to it."""
        await self.open(at)
        await self.pick(person)
        await self.page.wait_for_url(f"{self.stack.pages_url}{at}")

    async def pick(self, person: Person, *, on: Page | None = None) -> None:
        """Fill the issuer's form, by mouse; in another tab where one is named."""
        form = on or self.page
        await _radio(form, person).check()
        await _field(form, "Workspace").fill(person.workspace)
        await form.get_by_text("Under another name").click()
        await _field(form, "User id").fill(person.sub)
        await _field(form, "E-mail address").fill(person.email)
        await _button(form).click()

    async def pick_by_keys(self, person: Person) -> None:
        """The same without a mouse."""
        form, keys = self.page, Keys(self.page)
        await keys.choose(_radio(form, person))
        await keys.type_into(_field(form, "Workspace"), person.workspace)
        await keys.press(form.get_by_text("Under another name"))
        await keys.type_into(_field(form, "User id"), person.sub)
        await keys.type_into(_field(form, "E-mail address"), person.email)
        await keys.press(_button(form))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(_SAID_OF_EVERY_REFUSAL):
            self.complaints.append(f"console: {message.text}")

    def _error(self, error: WebError) -> None:
        self.complaints.append(f"script: {error.error}")

    def _request(self, request: Request) -> None:
        known = {self.stack.pages_url, self.stack.issuer_url, self.stack.stripe_url}
        allowed = known if request.is_navigation_request() else {_origin(request.frame.url)} & known
        if _origin(request.url) not in allowed:
            self.complaints.append(f"request to somebody else: {request.url} from {request.frame.url}")

    def _response(self, response: Response) -> None:
        if response.request.resource_type in _PARTS and response.status >= 400:
            self.complaints.append(f"{response.status} for {response.url}")


def _radio(page: Page, person: Person) -> Locator:
    return page.locator(f"input[name=person][value={person.role}]")


def _field(page: Page, name: str) -> Locator:
    return page.get_by_role("textbox", name=name, exact=True)


def _button(page: Page) -> Locator:
    return page.get_by_role("button", name="Sign in")


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
