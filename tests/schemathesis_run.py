"""Runs schemathesis against a service that is up, on the description that the service gives of itself."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parents[1]


class Depth(NamedTuple):
    """How much is tried of each operation."""

    phases: str
    examples: int
    """Of each kind, beside those that schemathesis derives itself."""


FULL: Final = Depth("examples,coverage,fuzzing,stateful", 5)
SOME: Final = Depth("examples,fuzzing", 1)


async def run_schemathesis(
    base_url: str,
    *options: str,
    directory: Path,
    depth: Depth,
    config: str = "",
    token: str | None = None,
    hooks: str | None = None,
) -> tuple[int | None, str]:
    """Its exit status and what it printed. `config` is its TOML, `hooks` a module that it imports first."""
    (directory / "schemathesis.toml").write_text(config)
    bearer = ["--header", f"Authorization: Bearer {token}"] if token else []
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("schemathesis")), "run", f"{base_url}/openapi.json", *bearer, *options,
        "--phases", depth.phases, "--max-examples", str(depth.examples), "--seed", "1", "--no-color",
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(ROOT), **({"SCHEMATHESIS_HOOKS": hooks} if hooks else {})},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate()
    return process.returncode, output.decode()
