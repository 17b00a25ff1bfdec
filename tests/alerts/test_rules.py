"""Each alert by promtool: it fires at what its row of CASES says, with no other beside it; none at a fresh start."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.alerts.cases import CASES, FRESH, LONG, NOW, QUIET, Case
from tests.alerts.rules import ALERTS, FILES, OBSERVABILITY, RECORDED, metrics_in

A_DAY = 24 * 60
FIRING = 'count by (alertname) (ALERTS{alertstate="firing"})'


def promtool(*words: str | Path) -> tuple[int, str]:
    return run("promtool", *words)


def run(*words: str | Path) -> tuple[int, str]:
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


def expectation(series: dict[str, str], firing: list[str], *, minutes: int) -> dict[str, Any]:
    """Return one of promtool's tests: which alerts fire then, and that there is no other."""
    step = step_of(minutes)
    samples = [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in sorted(firing)]
    return {
        "interval": f"{step}m",
        "input_series": [{"series": name, "values": first(values, minutes, step)} for name, values in series.items()],
        "promql_expr_test": [{"expr": FIRING, "eval_time": f"{minutes}m", "exp_samples": samples}],
    }


def step_of(minutes: int) -> int:
    """Return the minutes from one scrape to the next: of days promtool takes minutes to evaluate every minute."""
    return 5 if minutes > A_DAY else 1


def first(values: str, minutes: int, step: int) -> str:
    """Return no more of a series than is read; a clock goes on by the time between two scrapes."""
    number = minutes // step + 2
    read = " ".join(values.split()[:number]).replace(f"x{LONG}", f"x{number}")
    return read.replace(NOW.partition("x")[0], f"0+{60 * step}")


def judged(directory: Path, test: dict[str, Any]) -> tuple[int, str]:
    path = directory / "tests.yaml"
    path.write_text(
        yaml.safe_dump(
            {"rule_files": [str(one) for one in FILES], "evaluation_interval": test["interval"], "tests": [test]}
        )
    )
    return promtool("test", "rules", path)


def test_every_rule_file_is_one_that_prometheus_reads() -> None:
    status, said = promtool("check", "rules", *FILES)

    assert status == 0, said


def test_prometheus_and_alertmanager_read_their_settings() -> None:
    status, said = promtool("check", "config", "--syntax-only", OBSERVABILITY / "prometheus.yml")
    assert status == 0, said

    status, said = run("amtool", "check-config", OBSERVABILITY / "alertmanager.yml")
    assert status == 0, said


@pytest.mark.parametrize("minutes", [0, 1, 10, 60, 360, LONG - 10])
def test_after_a_fresh_start_nothing_fires(tmp_path: Path, minutes: int) -> None:
    """Given counters at 0, gauges that are unknown, then fine, and no webhook for three days."""
    status, said = judged(tmp_path, expectation(dict(FRESH), [], minutes=minutes))

    assert status == 0, said


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.alert)
def test_an_alert_fires_at_its_cause_and_no_other_does(tmp_path: Path, case: Case) -> None:
    firing = [case.alert, *case.also]

    status, said = judged(tmp_path, expectation({**FRESH, **case.different}, firing, minutes=case.minutes))

    assert status == 0, said


@pytest.mark.parametrize(("different", "minutes"), [row[1:] for row in QUIET], ids=[row[0] for row in QUIET])
def test_what_is_no_fault_of_ours_calls_nobody(tmp_path: Path, different: dict[str, str], minutes: int) -> None:
    status, said = judged(tmp_path, expectation({**FRESH, **different}, [], minutes=minutes))

    assert status == 0, said


def test_every_alert_has_a_case() -> None:
    assert set(ALERTS) == {case.alert for case in CASES}


def test_what_a_fresh_process_shows_is_all_that_the_rules_read() -> None:
    """A metric that is missing there could not fire at a fresh start, whatever the rule says."""
    read = {name for rule in (*ALERTS.values(), *RECORDED.values()) for name in metrics_in(rule["expr"])}
    ours = {name for name in read if name.startswith(("billing_", "up"))}

    assert ours == {name.partition("{")[0] for name in FRESH}


def test_grafana_could_run_every_expression_of_the_dashboards(tmp_path: Path) -> None:
    panels = [
        (panel["title"], target["expr"])
        for path in (OBSERVABILITY / "dashboards").glob("*.json")
        for panel in json.loads(path.read_text())["panels"]
        for target in panel["targets"]
    ]
    written = tmp_path / "dashboards.yaml"
    recorded = [{"record": f"panel:{number}", "expr": expr} for number, (_, expr) in enumerate(panels)]
    written.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": recorded}]}))

    status, said = promtool("check", "rules", written)

    assert len(panels) > 50
    assert status == 0, said
