"""What the documents' tables are made of, read from the code without running it: problems, metrics, docstrings."""

import ast
import inspect
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from chassis.problems import PROBLEM_BASE
from chassis.web.problem_handlers import KNOWN, MALFORMED_JSON
from tests.contract.sources import ROOT, sources

EVERY: Final = "every service"
STATUSES: Final = range(400, 600)
METRIC: Final = re.compile(r"(Counter|Gauge|Histogram)(MetricFamily)?")
SLUG: Final = re.compile(r"[a-z]+(-[a-z]+)*")


@dataclass(frozen=True, slots=True, order=True)
class Refusal:
    """A problem as one service says it: the last part of its type, its status and title."""

    slug: str
    status: int
    title: str
    service: str


@dataclass(frozen=True, slots=True, order=True)
class Metric:
    """A metric as Prometheus reads it."""

    name: str
    kind: str
    labels: tuple[str, ...]
    says: str
    service: str


@cache
def trees() -> tuple[tuple[str, ast.Module], ...]:
    """Return each module that a service runs, parsed, with the service that it is of."""
    return tuple((_service_of(path), ast.parse(path.read_text())) for path in sources())


def _service_of(path: Path) -> str:
    top, name, *_ = path.relative_to(ROOT).parts
    return name if top == "services" else EVERY


def _calls() -> Iterator[tuple[str, ast.Module, ast.Call]]:
    for service, tree in trees():
        yield from ((service, tree, node) for node in ast.walk(tree) if isinstance(node, ast.Call))


def refusals() -> set[Refusal]:
    """Return the problems of all services: as they stand in code and tables, and in the OpenAPI documents."""
    in_code = {
        Refusal(slug, status, title, service)
        for service, tree, call in _calls()
        for status, slug, title in _literals(call, tree)
    }
    tabled = {Refusal(slug, status, title, EVERY) for status, (slug, title) in KNOWN.items()}
    return in_code | tabled | {Refusal(MALFORMED_JSON[1], MALFORMED_JSON[0], MALFORMED_JSON[2], EVERY)} | _served()


def _literals(call: ast.Call, tree: ast.Module) -> Iterator[tuple[int, str, str]]:
    """Yield status, slug and title where a problem is made of literals."""
    match [argument.value if isinstance(argument, ast.Constant) else argument for argument in call.args[:3]]:
        case [int(status), str(slug), str(title)] if status in STATUSES and SLUG.fullmatch(slug):
            yield status, slug, title
        case [int(status), str(slug), ast.Name() as title] if status in STATUSES and SLUG.fullmatch(slug):
            yield status, slug, _text(title, tree)


def _served() -> set[Refusal]:
    """Return the problems that the OpenAPI documents show as examples."""
    found = set()
    for path in (ROOT / "contracts/openapi").glob("*.json"):
        service = path.stem.replace("_", "-")
        for member in _members(json.loads(path.read_text())):
            if str(member.get("type")).startswith(PROBLEM_BASE) and "title" in member:
                slug = member["type"].removeprefix(PROBLEM_BASE)
                found.add(Refusal(slug, member["status"], member["title"], service))
    return found


def _members(document: Any) -> Iterator[dict[str, Any]]:
    if isinstance(document, dict):
        yield document
    values = document.values() if isinstance(document, dict) else document if isinstance(document, list) else ()
    for value in values:
        yield from _members(value)


def metrics() -> set[Metric]:
    """Return every metric that a process of ours makes."""
    return {
        Metric(_family(kind, name), kind, _labels(call), _text(call.args[1], tree), service)
        for service, tree, call in _calls()
        if (made := METRIC.fullmatch(getattr(call.func, "id", "")))
        for kind, name in [(made[1].lower(), _first(call))]
        if name.startswith("billing_")
    }


def _family(kind: str, name: str) -> str:
    return f"{name.removesuffix('_total')}_total" if kind == "counter" else name


def _first(call: ast.Call) -> str:
    return str(call.args[0].value) if call.args and isinstance(call.args[0], ast.Constant) else ""


def _text(node: ast.expr, tree: ast.Module) -> str:
    """Return a literal text, or that of the name which stands for it."""
    if isinstance(node, ast.Name):
        assigned = (one for one in ast.walk(tree) if isinstance(one, ast.Assign))
        node = next(one.value for one in assigned if ast.unparse(one.targets[0]) == node.id)
    return str(ast.literal_eval(node))


def _labels(call: ast.Call) -> tuple[str, ...]:
    given = [*call.args[2:], *(one.value for one in call.keywords if one.arg in {"labels", "labelnames"})]
    return tuple(ast.literal_eval(given[0])) if given else ()


def field_docs(model: type) -> dict[str, str]:
    """Return what stands under each field of a class and its bases, by the field's name."""
    found: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if base.__module__.partition(".")[0] in {"chassis", "catalog", "notifier", "purchases", "webhook_gateway"}:
            (body,) = ast.parse(inspect.getsource(base)).body
            assert isinstance(body, ast.ClassDef)
            for field, below in zip(body.body, body.body[1:], strict=False):
                if isinstance(field, ast.AnnAssign) and isinstance(below, ast.Expr):
                    found[ast.unparse(field.target)] = ast.literal_eval(below.value)
    return found
