"""When periods end: counted from the anchor, the day cut to the month's last (31 January, 28 February, 31 March)."""

import calendar
from datetime import UTC, datetime, timedelta

from sandbox.stripe.model import Price
from sandbox.stripe.thing import Json

DAYS = {"day": 1, "week": 7}
MONTHS = {"month": 1, "year": 12}


def end_of_period(*, start: int, anchor: int, price: Price) -> int:
    """Return the first boundary after `start`, in the rhythm of a recurring price."""
    rhythm: Json = price.recurring or {"interval": "month", "interval_count": 1}
    count = 1
    while (end := _boundary(anchor, interval=rhythm["interval"], count=count * rhythm["interval_count"])) <= start:
        count += 1
    return end


def same_rhythm(one: Price, other: Price) -> bool:
    """Return whether both are billed at the same times."""
    keys = ("interval", "interval_count")
    return all((one.recurring or {}).get(key) == (other.recurring or {}).get(key) for key in keys)


def _boundary(anchor: int, *, interval: str, count: int) -> int:
    moment = datetime.fromtimestamp(anchor, UTC)
    if interval in DAYS:
        return int((moment + timedelta(days=DAYS[interval] * count)).timestamp())
    months = moment.year * 12 + moment.month - 1 + MONTHS[interval] * count
    year, month = divmod(months, 12)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return int(moment.replace(year=year, month=month + 1, day=day).timestamp())
