"""Watches a journey: what it left behind at the edges, as it was, with its own ids and times."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

from sandbox.driver import Driver
from tests.recording.answers import Answers
from tests.recording.kept import Ends, Json, Rows, Table, all_rows, ends, mail_ids, mails, records


@dataclass(frozen=True, kw_only=True)
class Left:
    """What is new since the journey began. What was there before is needed to know what is not this journey's."""

    answers: Sequence[Sequence[Json]]
    """In order, but for those of one batch."""
    facts: Sequence[Json]
    rows: Mapping[Table, Sequence[Json]]
    requests: Sequence[Json]
    mails: Sequence[Json]
    before: Rows
    after: Rows


class Watch:
    """Begun before a journey; `left` says what came of it once nothing moves any more."""

    def __init__(
        self, driver: Driver, *, rows: Rows, ends: Ends, mails: frozenset[str], requests: frozenset[str]
    ) -> None:
        self._driver = driver
        self._rows = rows
        self._ends = ends
        self._mails = mails
        self._requests = requests
        self._answers = Answers(driver)

    @classmethod
    async def begin(cls, driver: Driver) -> "Watch":
        """Remember how everything is."""
        return cls(
            driver,
            rows=await all_rows(driver),
            ends=await ends(driver),
            mails=await mail_ids(driver),
            requests=frozenset(str(one["id"]) for one in await driver.stripe.requests()),
        )

    async def left(self) -> Left:
        """Return what is new."""
        rows = await all_rows(self._driver)
        known = self._rows.of
        return Left(
            answers=self._answers.batches,
            facts=await records(self._driver, after=self._ends),
            rows={table: [row for key, row in of.items() if key not in known[table]] for table, of in rows.of.items()},
            requests=await self._new_requests(),
            mails=await mails(self._driver, besides=self._mails),
            before=self._rows,
            after=rows,
        )

    async def _new_requests(self) -> list[Json]:
        """What our services changed at Stripe: they name a key with each."""
        return [
            {
                "path": one["path"],
                "key": one["idempotency_key"],
                "body": dict(parse_qsl(one["body"], keep_blank_values=True)),
            }
            for one in await self._driver.stripe.requests()
            if one["id"] not in self._requests and one["method"] == "POST" and one["idempotency_key"]
        ]
