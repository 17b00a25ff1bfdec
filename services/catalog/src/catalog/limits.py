"""How long the catalog's texts and lists may be, for the tables and for the request bodies."""

from typing import Final

SLUG_LENGTH: Final = 64
NAME_LENGTH: Final = 120
DESCRIPTION_LENGTH: Final = 1_000
BULLETS: Final = 8
BULLET_LENGTH: Final = 200
RESOURCE_LENGTH: Final = 40
RESOURCES: Final = 50
PLAN_PRICES: Final = 50
