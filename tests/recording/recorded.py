"""Turns what a journey left into things that are equal for equal behaviour, whatever ids, times and order a run had."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from contracts import STRIPE_EVENTS, WORKSPACE_EVENTS
from tests.recording.kept import Json, Rows, Table
from tests.recording.lines import Thing, thing
from tests.recording.names import Names, mentions, template, without
from tests.recording.races import LOOKS, as_heard_alone, is_on_the_way, without_races
from tests.recording.watching import Left

KINDS: Final[Mapping[Table, str]] = {
    ("catalog", "plan_addons"): "addon",
    ("purchases", "workspace_addon_purchases"): "purchase",
    ("purchases", "purchase_refunds"): "refund",
    ("purchases", "checkout_sessions"): "checkout",
}
"""The tables whose ids have a kind of their own."""
OWNERS: Final = (*KINDS, ("purchases", "workspaces"))
"""The tables whose rows belong to the journey that made them, and with them what mentions their ids."""
VARIANTS: Final[Mapping[str, str]] = {
    "purchase_transitions": "trigger",
    "audit_log": "action",
    "stripe_commands": "kind",
    "mails": "letter",
}
"""The column that tells which of its rows are alike."""


_UNORDERED: Final = frozenset({STRIPE_EVENTS.name, WORKSPACE_EVENTS.name})


def things_of(left: Left) -> list[Thing]:
    """Return answers, facts, rows, requests to Stripe and mails, with stable names and in a stable order."""
    foreign = frozenset[str]().union(*(left.before.column(table, "id") for table in OWNERS))
    names = Names(_kinds(left.after))

    def ours(found: Iterable[Json]) -> list[Json]:
        """Without what belongs to the journeys before, of which something may still be under way."""
        return [without_races(one) for one in found if not mentions(one, foreign)]

    return [
        *_answered(names, left.answers, foreign),
        *_facts(names, ours(fact for fact in left.facts if not is_on_the_way(fact))),
        *(
            thing(_row_kind(table, row), row)
            for table, rows in sorted(left.rows.items())
            for row in names.in_order(ours(_recorded(row) for row in rows if _is_recorded(row)))
        ),
        *(
            thing(f"to Stripe: POST {template(one.pop('path'), names)}", one)
            for one in names.in_order(ours(left.requests))
        ),
        *(thing(f"mail «{_about(one['subject'])}»", one) for one in names.in_order(_mails(ours(left.mails)))),
    ]


def _kinds(rows: Rows) -> Mapping[str, str]:
    return {key: kind for table, kind in KINDS.items() for key in rows.column(table, "id")}


def _answered(names: Names, batches: Sequence[Sequence[Json]], foreign: frozenset[str]) -> list[Thing]:
    """Each answer once: how often it was asked for, until something was so, is no matter."""
    found: list[Thing] = []
    for batch in batches:
        for one in names.in_order(_sorted(without_races(without(answer, foreign)), names) for answer in batch):
            path = template(one.pop("path"), names)
            seen = thing(f"{one.pop('of')}{path} {one.pop('status')}", one)
            if seen not in found:
                found.append(seen)
    return found


def _sorted(value: Any, names: Names) -> Any:
    """Lists of what has an id are in the order of their content: what began at one moment is listed by random ids."""
    if isinstance(value, dict):
        return {name: _sorted(one, names) for name, one in value.items()}
    if isinstance(value, list) and value and all(isinstance(one, dict) and "id" in one for one in value):
        return names.sorted_by_content(value)
    return value


def _facts(names: Names, found: Sequence[Json]) -> list[Thing]:
    """Those about one subject keep their order; Stripe's events have none, and may have come twice.

    Nor have those of a workspace, which tell of several things.
    """
    streams: dict[str, list[Json]] = {}
    for number, one in enumerate(found):
        own = number if one["topic"] in _UNORDERED else ""
        record = as_heard_alone("body", one) if one["topic"] == WORKSPACE_EVENTS.name else one
        streams.setdefault(f"{record['topic']} {record['subject']} {own}", []).append(record)
    ordered = names.in_order(streams[stream] for stream in sorted(streams))
    return [
        thing(f"fact {record['type']}{f' ({number})' if len(stream) > 1 else ''}", record)
        for stream in ordered
        for number, record in enumerate(stream, 1)
    ]


def _row_kind(table: Table, row: Json) -> str:
    return f"row {'.'.join(table)} {row.get(VARIANTS.get(table[1], ''), '')}".strip()


def _recorded(row: Json) -> Json:
    """A mail's fact, too, does not count those before it."""
    of_workspace = str(row.get("fact_type")).startswith("billing.workspace.")
    return as_heard_alone("fact", row) if of_workspace and row["fact"] else row


def _is_recorded(row: Json) -> bool:
    """What was set aside for a moment, since it came early, is no matter; nor is a line that changed nothing."""
    return row.get("resolved_at") is None and not row.get("stale") and row.get("kind") not in LOOKS


def _mails(found: Sequence[Json]) -> list[Json]:
    return [
        {
            "to": [one["Address"] for one in mail["To"]],
            "from": mail["From"]["Address"],
            "subject": mail["Subject"],
            "text": mail["Text"].splitlines(),
        }
        for mail in found
    ]


def _about(subject: str) -> str:
    return subject.partition(":")[0].partition(" for ")[0].partition(" of ")[0]
