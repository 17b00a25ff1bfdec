"""Runs schemathesis against a service that is up, on the description that the service gives of itself."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
EXAMPLES: Final = 5
"""Of each operation and kind, beside those that schemathesis derives itself."""


async def run_schemathesis(
    base_url: str, *, directory: Path, config: str = "", token: str | None = None, hooks: str | None = None
) -> tuple[int | None, str]:
    """Its exit status and what it printed. `config` is its TOML, `hooks` a module that it imports first."""
    (directory / "schemathesis.toml").write_text(config)
    bearer = ["--header", f"Authorization: Bearer {token}"] if token else []
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("schemathesis")), "run", f"{base_url}/openapi.json", *bearer,
        "--max-examples", str(EXAMPLES), "--seed", "1", "--no-color",
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(ROOT), **({"SCHEMATHESIS_HOOKS": hooks} if hooks else {})},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate()
    return process.returncode, output.decode()
