"""How long the catalog's texts may be, for the table and for the request bodies."""

from typing import Final

from catalog.slugs import SLUG_LENGTH as SLUG_LENGTH

NAME_LENGTH: Final = 120
DESCRIPTION_LENGTH: Final = 10_000
BULLETS: Final = 8
BULLET_LENGTH: Final = 200
