"""The tables of docs/reference, each made of the code."""

import inspect
import textwrap
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from typing import Any, Final

from pydantic import SecretStr
from pydantic_core import PydanticUndefined

import catalog.main
import catalog.main.doctor
import notifier.main
import notifier.main.doctor
import purchases.main.doctor
import purchases.settings
import webhook_gateway.backfill.command
import webhook_gateway.doctor
import webhook_gateway.settings
from chassis.kafka.broker_check import TopicsUsed
from chassis.process.settings import ServiceSettings
from contracts.topics import ALL_TOPICS, TOPICS, Topic
from purchases.worker.jobs import JOBS
from tests.contract.docs.code import EVERY, Refusal, field_docs, metrics, refusals
from tests.contract.docs.markdown import ROOT

SETTINGS: Final[Mapping[str, type[ServiceSettings]]] = {
    "webhook-gateway": webhook_gateway.settings.GatewaySettings,
    "webhook-gateway-backfill": webhook_gateway.settings.BackfillSettings,
    "catalog": catalog.main.Settings,
    "purchases": purchases.settings.Settings,
    "notifier": notifier.main.Settings,
}
USED: Final[Mapping[str, TopicsUsed]] = {
    "webhook-gateway": webhook_gateway.doctor.USED,
    "webhook-gateway-backfill": webhook_gateway.backfill.command.USED,
    "webhook-gateway-backfill-wide": webhook_gateway.backfill.command.USED,
    "catalog": catalog.main.doctor.USED,
    "catalog-relay": catalog.main.doctor.USED_BY_RELAY,
    "purchases-api": purchases.main.doctor.USED_BY_API,
    "purchases-worker": purchases.main.doctor.USED_BY_WORKER,
    "purchases-relay": purchases.main.doctor.USED_BY_RELAY,
    "notifier": notifier.main.doctor.USED,
}

FACTS_WIDTH: Final = 160
"""So many characters of facts stand in one row."""


def table(head: str, rows: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table; `head` is its first line's cells, between bars."""
    lines = [" | ".join(cell.replace("|", "\\|") for cell in row) for row in rows]
    return "\n".join([f"| {head} |", "|" + "---|" * len(head.split(" | ")), *(f"| {line} |" for line in lines)])


def topics() -> str:
    """Return each topic: its key, how long it is kept, who writes it and who reads it."""
    rows = ((f"`{one.name}`", one.key, _kept(one), one.owner, _readers(one)) for one in ALL_TOPICS)
    return table("topic | key | kept | written by | read by", rows)


def _kept(topic: Topic) -> str:
    days = f"{topic.retention.days} days" if topic.retention else ""
    return ", ".join(filter(None, ["the last of each key" if "compact" in topic.cleanup_policy else "", days]))


def _readers(topic: Topic) -> str:
    return ", ".join(process for process, used in USED.items() if topic.name in used.all_read) or "others"


def topics_with_facts() -> str:
    """Return each topic for another team: its key, how it is cleaned up, its owner, and its facts by class."""
    rows = (row for topic in ALL_TOPICS for row in _rows_with_facts(topic))
    return table("topic | key | kept | owner | facts", rows)


def _rows_with_facts(topic: Topic) -> Iterator[list[str]]:
    """Yield one row, and more of facts alone where they are many: a row is a line, and a line is short."""
    names = ", ".join(fact.__name__ for fact, where in TOPICS.items() if where is topic)
    first, *others = textwrap.wrap(names, FACTS_WIDTH)
    yield [f"`{topic.name}`", topic.key, _kept(topic), topic.owner, first]
    yield from (["", "", "", "", more] for more in others)


def processes() -> str:
    """Return what each process reads and writes on Kafka."""
    rows = ((f"`{name}`", _names(used.all_read | used.reads_back), _names(used.writes)) for name, used in USED.items())
    return table("process | reads | writes", rows)


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))


def subjects() -> str:
    """Return the folders of purchases, in the order of their layers, each with the first sentence of its package."""
    rows = (
        (str(number), f"`{name}`", _opening(import_module(f"purchases.{name}")))
        for number, layer in enumerate(_layers_of_purchases(), start=1)
        for name in layer
        if (ROOT / "services/purchases/src/purchases" / name).is_dir()
    )
    return table("layer | folder | holds", rows)


def _layers_of_purchases() -> list[list[str]]:
    """Return what stands in each layer below those of the programs, the highest first."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = (one["layers"] for one in contracts if one.get("containers") == ["purchases"] and one.get("exhaustive"))
    return [sorted(layer.split(" | ")) for layer in layers[1:]]


def jobs() -> str:
    """Return each job: the word of its rows, its class, and what it does."""
    rows = ((f"`{job.KIND}`", f"`{job.__name__}`", _opening(job)) for job in JOBS)
    return table("kind | job | does", rows)


def facts() -> str:
    """Return each fact: its type, its topic, and what it says."""
    rows = ((f"`{fact.TYPE}`", f"`{topic.name}`", _opening(fact)) for fact, topic in TOPICS.items())
    return table("fact | topic | says", rows)


def _opening(thing: Any) -> str:
    """Return the first paragraph of a docstring, on one line."""
    return " ".join((inspect.getdoc(thing) or "").partition("\n\n")[0].split())


def problems() -> str:
    """Return each problem once: its slug, status and titles, and which services say it."""
    by_slug: dict[str, list[Refusal]] = {}
    for refusal in sorted(refusals()):
        by_slug.setdefault(refusal.slug, []).append(refusal)
    return table("slug | status | title | said by", map(_problem, by_slug.values()))


def _problem(alike: list[Refusal]) -> list[str]:
    said_by = {one.service for one in alike}
    titles = "; ".join(sorted({one.title for one in alike}))
    return [
        f"`{alike[0].slug}`",
        str(alike[0].status),
        titles,
        EVERY if EVERY in said_by else ", ".join(sorted(said_by)),
    ]


def metrics_table() -> str:
    """Return each metric: its kind and labels, what it says, and which services have it."""
    rows = (
        (f"`{one.name}`", one.kind, ", ".join(f"`{label}`" for label in one.labels), one.says, one.service)
        for one in sorted(metrics())
    )
    return table("metric | kind | labels | says | of", rows)


def settings() -> str:
    """Return each setting: its default, which services take it, and what it decides."""
    taken: dict[str, dict[str, str]] = {}
    for service, model in SETTINGS.items():
        for name, field in model.model_fields.items():
            taken.setdefault(name, {})[service] = _default(field.default)
    return table("setting | default | taken by | decides", (_setting(name, taken[name]) for name in sorted(taken)))


def _setting(name: str, defaults: Mapping[str, str]) -> list[str]:
    services = EVERY if len(defaults) == len(SETTINGS) else ", ".join(defaults)
    (default,) = set(defaults.values())
    says = next((docs[name] for service in defaults if name in (docs := field_docs(SETTINGS[service]))), None)
    if says is None:
        raise LookupError(f"{name.upper()}: what it decides is not said; write a docstring below the field")
    return [f"`{name.upper()}`", default, services, " ".join(says.split())]


def _default(value: Any) -> str:
    if value is PydanticUndefined:
        return "has to be set"
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, tuple):
        value = ",".join(map(str, value))
    return "" if value in (None, "") else f"`{str(value).lower() if isinstance(value, bool) else value}`"
