"""deploy/observability names what there is: metrics that a process exports, files that the code would write anew."""

import importlib.util
import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest
import yaml

from tests.alerts.rules import ALERTS, OBSERVABILITY, RECORDED, ROOT, SPEED, faster, metrics_in
from tests.contract.docs.code import metrics

DASHBOARDS: Final = sorted((OBSERVABILITY / "dashboards").glob("*.json"))
OF_OTHERS: Final = {
    "cnpg_backends_total",
    "cnpg_pg_replication_lag",
    "cnpg_pg_settings_setting",
    "kube_cronjob_status_last_successful_time",
    "pg_replication_lag",
    "pg_replication_lag_seconds",
    "pg_settings_max_connections",
    "pg_stat_database_numbackends",
}
"""Of postgres_exporter, CloudNativePG and kube-state-metrics: no process of ours exports them."""
SEVERITIES: Final = {"page", "ticket"}


def exported() -> set[str]:
    """Return the series that some process of ours exports, or a rule records."""
    suffixes = {"histogram": ("_bucket", "_count", "_sum")}
    ours = {metric.name + end for metric in metrics() for end in suffixes.get(metric.kind, ("",))}
    return ours | set(RECORDED) | {"up"}


def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_dashboards", OBSERVABILITY / "make_dashboards.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def expressions(path: Path) -> Iterator[str]:
    """Yield what the panels of a dashboard ask Prometheus."""
    for panel in json.loads(path.read_text())["panels"]:
        yield from (target["expr"] for target in panel["targets"])


def test_the_dashboards_are_what_make_docs_writes() -> None:
    assert {path.name: path.read_text() for path in DASHBOARDS} == maker().rendered()


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_every_metric_of_a_dashboard_is_exported_by_some_process(path: Path) -> None:
    read = {name for expression in expressions(path) for name in metrics_in(expression)}

    assert read
    assert read - exported() == set()


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_no_panel_lies_on_another(path: Path) -> None:
    fields = [
        (x, y)
        for panel in json.loads(path.read_text())["panels"]
        for place in [panel["gridPos"]]
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]

    assert len(fields) == len(set(fields))
    assert max(x for x, _ in fields) < 24


def test_every_metric_of_a_rule_is_exported_by_some_process_or_by_an_exporter_beside_it() -> None:
    read = {name for rule in (*ALERTS.values(), *RECORDED.values()) for name in metrics_in(rule["expr"])}

    assert read - exported() == OF_OTHERS


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_what_it_is_how_bad_and_what_to_read(name: str) -> None:
    rule = ALERTS[name]
    page = re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()

    assert rule["labels"]["severity"] in SEVERITIES
    assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
    assert rule["annotations"]["runbook_url"] == f"docs/runbooks/{page}.md"


def test_only_an_alert_that_there_is_inhibits_or_is_inhibited() -> None:
    settings = yaml.safe_load((OBSERVABILITY / "alertmanager.yml").read_text())
    matchers = [one for rule in settings["inhibit_rules"] for both in rule.values() for one in both]
    named = {name for one in matchers for name in re.findall(r"[A-Z]\w+", one)}

    assert named - set(ALERTS) == set()


def test_in_tests_all_waits_and_windows_are_shorter_by_one_factor() -> None:
    text = faster(OBSERVABILITY / "rules/webhooks.yaml")

    assert f"[{3 * 86_400 // SPEED}s]" in text
    assert not re.search(r"\[\d+[mhd]\]|for: \d+[mhd]", text)


def test_compose_s_scrape_gives_the_labels_that_the_rules_read() -> None:
    (job,) = yaml.safe_load((OBSERVABILITY / "prometheus.yml").read_text())["scrape_configs"]

    assert job["job_name"] == "quittance"
    assert [one["target_label"] for one in job["relabel_configs"]] == ["service"]


def test_every_panel_uses_the_data_source_that_is_provisioned() -> None:
    provisioned = yaml.safe_load((OBSERVABILITY / "grafana/provisioning/datasources/quittance.yaml").read_text())
    uids = {source["uid"] for source in provisioned["datasources"]}

    panels = [panel for path in DASHBOARDS for panel in json.loads(path.read_text())["panels"]]
    assert {panel["datasource"]["uid"] for panel in panels} <= uids
    assert (ROOT / "deploy/observability/grafana/provisioning/dashboards/quittance.yaml").is_file()


def test_each_alert_has_its_runbook_with_its_severity_and_each_other_page_stands_in_the_list() -> None:
    pages = {path.name: path.read_text() for path in (ROOT / "docs/runbooks").glob("*.md") if path.stem != "README"}
    alerts = {Path(rule["annotations"]["runbook_url"]).name: (name, rule) for name, rule in ALERTS.items()}
    listed = set(re.findall(r"\]\(([\w-]+\.md)\)", (ROOT / "docs/runbooks/README.md").read_text()))

    assert set(alerts) - set(pages) == set()
    assert set(pages) - listed == set()
    for page, (name, rule) in alerts.items():
        assert f"Alert `{name}`. **{rule['labels']['severity'].capitalize()}**" in pages[page]
