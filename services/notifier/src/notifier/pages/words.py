"""What the notifier's problems say to people, and the words for what it has parked."""

from collections.abc import Mapping
from typing import Final

from chassis.pages import Words
from notifier.parked.parked_items import Kind

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
