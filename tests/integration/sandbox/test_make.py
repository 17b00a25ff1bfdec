"""The first things that a newcomer types."""

import os
import subprocess
from pathlib import Path

from sandbox import places

ROOT = places.checkout()


def test_make_alone_says_what_each_target_does() -> None:
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True)

    described = {
        line.split()[0] for line in done.stdout.splitlines() if line.startswith("  ") and len(line.split()) > 2
    }
    assert {"install", "demo", "up", "down", "unit", "test", "check", "bench", "lock", "clean"} <= described


def test_a_machine_without_python_says_so(tmp_path: Path) -> None:
    done = subprocess.run(
        ["/bin/sh", ROOT / "sandbox/install.sh", "contracts"],
        cwd=tmp_path,
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "Quittance needs Python 3.11 or newer" in done.stderr


def test_a_broker_that_we_do_not_know_is_refused(tmp_path: Path) -> None:
    environment = {**os.environ, "BROKER": "rabbit", "SANDBOX_STATE": str(tmp_path)}
    done = subprocess.run(
        [ROOT / ".venv/bin/python", "-m", "sandbox", "up"], env=environment, capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert "BROKER=rabbit: say kafka or librdkafka" in done.stderr
