"""Amounts as people type them: with a point, or as their language writes them; never guessed where the two differ."""

import re
from decimal import Decimal
from typing import Final

from babel.numbers import NumberFormatError, get_decimal_symbol, get_group_symbol, parse_decimal

from chassis.money import InvalidAmount, TooManyDecimals, minor_units

_NUMBER: Final = re.compile(
    "(?!0[0-9])[0-9](?:[0-9.,'’ \N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}]{0,28}[0-9])?", re.ASCII
)
_PLAIN: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?", re.ASCII)
THOUSANDS: Final = 3
"""Digits that may be meant as thousands, and read as decimals."""
_TYPED_FOR: Final = (" \N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}", "'’")
"""What stands between thousands, and what keyboards have in its place."""


def typed_minor_units(text: str, currency: str, *, locale: str) -> int:
    """`("1.234,50", "EUR", locale="de")` → 123450. Raises InvalidAmount, with how it was read; UnsupportedCurrency."""
    plain = plain_amount(text, locale=locale)
    try:
        return minor_units(plain, currency)
    except TooManyDecimals as error:
        if plain == text:
            raise
        whole, _, fraction = plain.partition(".")
        hint = f": write {whole}{fraction} for thousands" if len(fraction) == THOUSANDS else ""
        raise TooManyDecimals(f"{error}, and this reads as {plain}{hint}") from error


def plain_amount(text: str, *, locale: str) -> str:
    """With a point and nothing between thousands, for `chassis.money`. Raises InvalidAmount for no reading, or two."""
    readings = {text} if _PLAIN.fullmatch(text) else set()
    if (local := _as_written_there(text, locale)) is not None:
        readings.add(local)
    if len({Decimal(one) for one in readings}) > 1:
        few, many = sorted(readings, key=Decimal)
        raise InvalidAmount(f"this reads as {many} or as {few}: write {many}, or {local_amount(few, locale=locale)}")
    if not readings or not _NUMBER.fullmatch(text):
        raise InvalidAmount(f"an amount is written like {examples(locale)}")
    return readings.pop()


def local_amount(plain: str, *, locale: str) -> str:
    """Return `499.00` as a field of an amount shows it to the visitor: `499,00`."""
    return plain.replace(".", get_decimal_symbol(locale, numbering_system="latn"))


def examples(locale: str) -> str:
    """Show how an amount may be written."""
    local = local_amount("499.00", locale=locale)
    return "499 or 499.00" if local == "499.00" else f"499, 499.00 or {local}"


def _as_written_there(text: str, locale: str) -> str | None:
    if not _NUMBER.fullmatch(text):
        return None
    group = get_group_symbol(locale, numbering_system="latn")
    for alike in _TYPED_FOR:
        if group in alike:
            text = re.sub(f"[{alike}]", group, text)
    try:
        return format(parse_decimal(text, locale=locale, strict=True), "f")
    except NumberFormatError:
        return None
