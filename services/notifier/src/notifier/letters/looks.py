"""Amounts and times as one locale writes them."""

from dataclasses import dataclass
from datetime import UTC, datetime

from babel.dates import format_date, format_time

from chassis import amounts
from notifier.letters.wording import one_line


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """`locale` is one that Babel knows (CLDR)."""

    locale: str

    def money(self, cents: int, currency: str) -> str:
        """Minor units of `currency`, never rounded. Raises chassis.money's UnsupportedCurrency."""
        return amounts.money(cents, currency=currency, locale=self.locale)

    def moment(self, moment: datetime) -> str:
        """Day and minute in UTC, which is named: readers live in many zones."""
        day = format_date(moment.astimezone(UTC), format="medium", locale=self.locale)
        time = format_time(moment, format="short", tzinfo=UTC, locale=self.locale)
        # CLDR puts narrow spaces before AM and PM, which old mail readers show as a box.
        return one_line(f"{day}, {time} UTC", limit=100)
