"""Derives an add-on's slug from its name: URL-safe, at most 64 characters, made unique with -2, -3 …"""

from collections.abc import Collection

from slugify import slugify

from catalog.limits import SLUG_LENGTH


def slug_of(*, name: str) -> str:
    """Return the slug that `name` asks for; empty when nothing of it survives the transliteration."""
    return slugify(name, max_length=SLUG_LENGTH, entities=False, decimal=False, hexadecimal=False)


def first_free(*, wanted: str, taken: Collection[str]) -> str:
    """Return `wanted` itself, or with the lowest suffix from -2 on that is not taken, cut so that it still fits."""
    number, slug = 1, wanted
    while slug in taken:
        number += 1
        slug = _with_suffix(wanted, f"-{number}")
    return slug


def _with_suffix(wanted: str, suffix: str) -> str:
    return wanted[: SLUG_LENGTH - len(suffix)].rstrip("-") + suffix
