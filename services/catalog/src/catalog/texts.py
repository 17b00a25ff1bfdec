"""The texts of what is sold, as people may type them."""

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from catalog.limits import BULLET_LENGTH, DESCRIPTION_LENGTH, NAME_LENGTH
from chassis.texts import one_line


def _paragraph(text: str) -> str | None:
    """Return the paragraph, None when it is empty. Raises ValueError for a line end: it is one paragraph."""
    return one_line(text) or None


Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=NAME_LENGTH), AfterValidator(one_line)
]
Description = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=DESCRIPTION_LENGTH),
    AfterValidator(_paragraph),
    Field(description="One paragraph: no line ends"),
]
Bullet = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=BULLET_LENGTH), AfterValidator(one_line)
]
