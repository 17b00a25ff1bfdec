"""An earlier version of the product, out of git's history, to run processes of it beside those of this one."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

COMMIT: Final = os.environ.get("UPGRADE_FROM") or "3d44cdfc248d4345c2d2d240f05c68e94d5e2102"
"""What is upgraded from: the last version before purchases is cut by subject."""
ROOT: Final = Path(__file__).parents[2]


class NotInHistory(LookupError):  # noqa: N818 - named for what it says
    """This clone does not have the commit."""


def unpack(directory: Path) -> Path:
    """Write the earlier version's files below `directory` and return where. Raises NotInHistory."""
    known = subprocess.run(
        ["git", "cat-file", "-e", f"{COMMIT}^{{commit}}"], cwd=ROOT, capture_output=True, check=False
    )
    if known.returncode != 0:
        raise NotInHistory(f"{COMMIT} is not in this clone's history: `git fetch --unshallow` brings it")
    checkout = directory / COMMIT[:12]
    checkout.mkdir(parents=True)
    packed = subprocess.run(["git", "archive", COMMIT], cwd=ROOT, capture_output=True, check=True)
    subprocess.run(["tar", "-x", "-C", str(checkout)], input=packed.stdout, check=True)
    return checkout


def settings(checkout: Path) -> dict[str, str]:
    """Return what makes a process of ours run that version's code; the libraries stay those of today."""
    sources = sorted(path for path in checkout.glob("**/src") if any(path.glob("*/__init__.py")))
    found = {"PYTHONPATH": os.pathsep.join(str(path) for path in sources)}
    where = [sys.executable, "-c", "import purchases; print(purchases.__file__)"]
    ran = subprocess.run(where, env=os.environ | found, capture_output=True, text=True, check=True).stdout
    assert Path(ran.strip()).is_relative_to(checkout), ran
    return found
