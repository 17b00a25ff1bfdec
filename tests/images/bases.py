"""Stand-ins for the base images, which cannot be pulled everywhere: Debian's Python, and uv out of this checkout.

What they do not show: anything that the real bases hold besides. The Dockerfile takes both in the same way.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.images.engine import ROOT, Engine

DOCKERFILE: Final = ROOT / "deploy/docker/Dockerfile"
_SUITE: Final = "bookworm"
_HAS: Final = "python3,python3-venv,ca-certificates"
_PATH: Final = "ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
# Where the official image has its interpreter.
_HOOK: Final = 'ln -s /usr/bin/python3 "$1/usr/local/bin/python" && ln -s /usr/bin/python3 "$1/usr/local/bin/python3"'


def default_bases() -> Mapping[str, str]:
    """Return the base images that the Dockerfile names, by their build argument."""
    return dict(re.findall(r"^ARG ((?:PYTHON|UV)_IMAGE)=(\S+)$", DOCKERFILE.read_text(), re.MULTILINE))


def make_stand_ins(engine: Engine) -> Mapping[str, str]:
    """Make what is missing of the stand-ins, and return their names by their build argument."""
    bases = {
        "PYTHON_IMAGE": f"localhost/stand-in/python:{_key(*_recipe(), _PATH)}",
        "UV_IMAGE": f"localhost/stand-in/uv:{default_bases()['UV_IMAGE'].rpartition(':')[2]}",
    }
    if not engine.has(bases["PYTHON_IMAGE"]):
        engine.import_rootfs(_python_rootfs(), bases["PYTHON_IMAGE"], _PATH)
    if not engine.has(bases["UV_IMAGE"]):
        _import_uv(engine, bases["UV_IMAGE"])
    return bases


def cache_directory() -> Path:
    """Return where stand-ins are kept between checkouts."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "quittance" / "images"


def _recipe() -> tuple[str, ...]:
    return ("mmdebstrap", "--quiet", "--variant=minbase", f"--include={_HAS}", f"--customize-hook={_HOOK}", _SUITE)


def _key(*recipe: str) -> str:
    return hashlib.sha256("\0".join(recipe).encode()).hexdigest()[:16]


def _python_rootfs() -> Path:
    """Return a tar of Debian with Python, made once for each recipe."""
    recipe = _recipe()
    made = cache_directory() / f"python-{_key(*recipe)}.tar"
    if not made.exists():
        made.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=made.parent) as directory:
            part = Path(directory) / "rootfs.tar"
            subprocess.run([*recipe, str(part)], check=True, timeout=600)
            part.replace(made)  # whole or not at all, whoever else makes it at the same time
    return made


def _import_uv(engine: Engine, name: str) -> None:
    """Make the image that holds nothing but uv, of the version that the real one has."""
    uv = Path(sys.executable).with_name("uv")
    says = subprocess.run([uv, "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    if says != name.rpartition(":")[2]:
        raise RuntimeError(f"the Dockerfile asks for uv {name.rpartition(':')[2]}, and .venv has {says}: make install")
    with tempfile.TemporaryDirectory() as directory:
        shutil.copy2(uv, directory)
        archive = shutil.make_archive(f"{directory}-uv", "tar", directory)
        try:
            engine.import_rootfs(Path(archive), name)
        finally:
            Path(archive).unlink()
