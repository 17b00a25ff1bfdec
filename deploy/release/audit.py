"""Hold every pin of both locks against the database of known vulnerabilities, with pip-audit.

Where the database cannot be reached, the last recorded answer counts (audit.json beside this file), for the pins that
it names. Where there is none either, it says that nothing was audited. `--record` writes the answer down, `--must`
fails unless every pin was audited now.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).parent
LOCKS: Final = (HERE.parents[1] / "requirements.lock", HERE / "tools.lock")
RECORDED: Final = HERE / "audit.json"
_PIN: Final = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)")


@dataclass(frozen=True)
class Audit:
    """What is known of the pins: ids of vulnerabilities by `name==version`; a pin that is missing was not audited."""

    at: str
    found: Mapping[str, Sequence[str]]

    def missing(self, pins: Sequence[str]) -> list[str]:
        """Return the pins that were not audited."""
        return [pin for pin in pins if pin not in self.found]

    def vulnerable(self, pins: Sequence[str]) -> dict[str, Sequence[str]]:
        """Return the pins with known vulnerabilities."""
        return {pin: self.found[pin] for pin in pins if self.found.get(pin)}


def read_pins(lock: str) -> list[str]:
    """Return `name==version` of each package in a lock."""
    return [f"{match['name']}=={match['version']}" for line in lock.splitlines() if (match := _PIN.match(line))]


def ask(pins: Sequence[str]) -> Audit:
    """Ask the database now. A pin that it does not answer for is missing in the result."""
    first = _answers(pins[:1])  # where the database is away, it is asked once and not for everything
    return Audit(datetime.now(UTC).date().isoformat(), first | _answers(pins[1:]) if first else first)


def _answers(pins: Sequence[str]) -> dict[str, Sequence[str]]:
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(pins) + "\n")
        file.flush()
        words = ("--requirement", file.name, "--no-deps", "--disable-pip", "--format=json", "--progress-spinner=off")
        command = [sys.executable, "-m", "pip_audit", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    try:
        dependencies: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        print(done.stderr.strip()[-500:], file=sys.stderr)
        return {}
    # pip-audit takes a database that says 404 to everything for one that does not know the package.
    answered = [one for one in dependencies if "skip_reason" not in one]
    return {f"{one['name']}=={one['version']}": [vuln["id"] for vuln in one["vulns"]] for one in answered}


def read_recorded() -> Audit:
    """Return the last recorded answer; of nothing where there is none."""
    if not RECORDED.exists():
        return Audit("never", {})
    kept = json.loads(RECORDED.read_text())
    return Audit(kept["audited_on"], kept["vulnerabilities"])


def judge(pins: Sequence[str], now: Audit, recorded: Audit, *, must: bool) -> tuple[int, list[str]]:
    """Return the exit status and what to say: 1 where a pin is vulnerable, or was not audited and must be."""
    known = Audit(now.at, {**recorded.found, **now.found})
    vulnerable, missing = known.vulnerable(pins), known.missing(pins)
    lines = [f"vulnerable: {pin}: {', '.join(ids)}" for pin, ids in vulnerable.items()]
    if not now.found:
        lines.append(f"NOT AUDITED HERE: the database of vulnerabilities cannot be reached. Recorded: {recorded.at}.")
    if missing:
        lines.append(f"NOT AUDITED: {len(missing)} of {len(pins)} pins, as {', '.join(missing[:3])}")
    else:
        lines.append(f"audited: {len(pins)} pins, {len(vulnerable)} of them vulnerable")
    return int(bool(vulnerable) or (must and bool(now.missing(pins)))), lines


def main() -> int:
    """Audit, say so, and return the exit status."""
    parser = argparse.ArgumentParser(prog="audit.py", description=__doc__)
    parser.add_argument("--must", action="store_true", help="fail unless every pin was audited now")
    parser.add_argument("--record", action="store_true", help="write the answer to audit.json")
    given = parser.parse_args()
    pins = sorted({pin for lock in LOCKS for pin in read_pins(lock.read_text())})
    now, recorded = ask(pins), read_recorded()
    if given.record and not now.missing(pins):
        kept = {"audited_on": now.at, "vulnerabilities": now.found}
        RECORDED.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")
    status, lines = judge(pins, now, recorded, must=given.must or given.record)
    print("\n".join(lines))
    return status


if __name__ == "__main__":
    sys.exit(main())
