"""The jars of the embedded Apache Kafka: those that jgo.lock.toml names, fetched once and verified at every start."""

import fcntl
import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from threading import Event
from typing import Any, Final

import requests
from jgo.config import GlobalSettings
from jgo.maven import Artifact, MavenContext

from sandbox.progress import Report

_AT_ONCE: Final = 8


class MavenUnreachable(RuntimeError):  # noqa: N818 - named for what happened
    """A jar is not here yet and no Maven repository gives it."""


class JarDiffers(RuntimeError):  # noqa: N818 - named for what happened
    """A jar does not have the sha256 of the lock file."""


def locked() -> list[Mapping[str, Any]]:
    """One entry per jar, as jgo wrote it."""
    text = files("sandbox").joinpath("jgo.lock.toml").read_text()
    return list(tomllib.loads(text)["dependencies"])


def kafka_version() -> str:
    return str(next(entry["version"] for entry in locked() if entry["artifactId"].startswith("kafka_")))


class Interrupted(RuntimeError):  # noqa: N818
    """Somebody does not want the jars any more."""


def fetch_jars(cache: Path, report: Report, stop: Event) -> list[Path]:
    """Fetch the jars, in the lock file's order, unless `stop` is set. Raises `MavenUnreachable` or `JarDiffers`."""
    maven = _maven(cache)
    entries = locked()
    with _one_at_a_time(cache), ThreadPoolExecutor(_AT_ONCE) as pool:
        missing = sum(1 for entry in entries if not _is_here(_artifact(maven, entry)))
        if missing:
            report("kafka", f"downloading Apache Kafka {kafka_version()}, once: {missing} jars, about 44 MB")
        jars = []
        for number, jar in enumerate(pool.map(lambda entry: _fetch(maven, cache, entry, stop), entries), 1):
            jars.append(jar)
            if missing and (number % 10 == 0 or number == len(entries)):
                report("kafka", f"downloaded {number} of {len(entries)} jars")
        return jars


def _fetch(maven: MavenContext, cache: Path, entry: Mapping[str, Any], stop: Event) -> Path:
    """Fetch the file of one entry, again if an interrupted download left half of it."""
    if stop.is_set():
        raise Interrupted
    for _ in range(2):
        try:
            jar: Path = _artifact(maven, entry).resolve()
        except (requests.RequestException, RuntimeError) as error:
            raise MavenUnreachable(f"{entry['artifactId']}: {error}") from error
        if hashlib.sha256(jar.read_bytes()).hexdigest() == entry["sha256"]:
            return jar
        if not jar.is_relative_to(cache):
            break
        jar.unlink()
    raise JarDiffers(f"{entry['artifactId']}-{entry['version']}.jar has not the sha256 of jgo.lock.toml")


def _maven(cache: Path) -> MavenContext:
    """Our own cache first, the user's Maven repository read-only, then the repositories that jgo knows."""
    settings = GlobalSettings.load()
    own = MavenContext(repo_cache=cache)
    return MavenContext(
        repo_cache=cache,
        local_repos=[settings.repo_cache],
        remote_repos={**settings.repositories, **own.remote_repos},
    )


def _artifact(maven: MavenContext, entry: Mapping[str, Any]) -> Artifact:
    component = maven.project(entry["groupId"], entry["artifactId"]).at_version(entry["version"])
    return component.artifact(packaging=entry["packaging"])


def _is_here(artifact: Artifact) -> bool:
    return bool(artifact.cached_path and artifact.cached_path.exists())


@contextmanager
def _one_at_a_time(cache: Path) -> Iterator[None]:
    """Two stacks started together do not write the same file."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
