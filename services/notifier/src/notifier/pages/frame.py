"""What stands around the notifier's pages, the same entries as in catalog and purchases, and the words in them."""

from collections.abc import Mapping, Sequence
from typing import Final

from fastapi import Request

from chassis.pages import NavLink, Words
from chassis.web.auth import Caller
from notifier.parked.parked_items import Kind

PRICES: Final = NavLink("Prices", "/pricing")
OF_STAFF: Final = (
    NavLink("Add-ons", "/admin/addons"),
    NavLink("Purchases", "/admin/purchases"),
    NavLink("Set aside", "/admin/parked"),
)


def nav(_: Request, person: Caller | None) -> Sequence[NavLink]:
    """Return staff's entries; whoever else comes has no page here, and is led to the prices."""
    return (*OF_STAFF, PRICES) if person is not None and person.is_staff else (PRICES,)


WORDS: Final[Mapping[str, Words]] = {
    "parked-not-found": Words(
        title="There is no such parked item",
        what="There is nothing at this address.",
        next="Go back to the list of what is set aside.",
    ),
}
KINDS: Final[Mapping[Kind, str]] = {
    Kind.MAIL: "A mail that was not sent",
    Kind.FACT: "What no mail could be made of",
}
ALL: Final[Mapping[Kind, str]] = {Kind.MAIL: "Send all mails again", Kind.FACT: "Read all facts again"}
DONE: Final[Mapping[str, str]] = {
    "retry": "It is tried again now. Look here again in a moment.",
    "discard": "It is discarded, with your reason.",
}
WITHOUT_REASON: Final = "Say why, for whoever looks later."
