"""What the catalog's problems say to people, by the problem's slug."""

from collections.abc import Mapping
from typing import Final

from chassis.pages import Words

NOTHING_CHANGED: Final = "Nothing was changed."

WORDS: Final[Mapping[str, Words]] = {
    "addon-not-found": Words(
        what="There is nothing at this address.", next="Go back to the list of add-ons, and choose one of its entries."
    ),
    "parked-not-found": Words(
        what="There is nothing at this address.", next="Go back to the list of what is set aside."
    ),
    "precondition-failed": Words(
        title="This add-on was saved since you opened the page",
        what=NOTHING_CHANGED,
        next="Open it again, see what it is now, and then decide.",
    ),
    "precondition-required": Words(
        title="This form is not complete", what=NOTHING_CHANGED, next="Open the add-on again, and use its own buttons."
    ),
    "invalid-cursor": Words(title="There is no such part of the list", what="", next="Begin at the top of the list."),
}
